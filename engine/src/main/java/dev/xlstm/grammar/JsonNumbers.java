package dev.xlstm.grammar;

import dev.xlstm.grammar.Expression.Literal;
import dev.xlstm.grammar.Expression.OneOf;
import dev.xlstm.grammar.Expression.Repeat;
import java.util.ArrayList;
import java.util.List;

import static dev.xlstm.grammar.Expression.choice;
import static dev.xlstm.grammar.Expression.literal;
import static dev.xlstm.grammar.Expression.optional;
import static dev.xlstm.grammar.Expression.sequence;

/** JSON numbers, within bounds or not. Their length is bounded: nobody means a number of a thousand digits. */
final class JsonNumbers {

    /** Bounds beyond this are not taken; numbers without a bound on their side stay within it. */
    static final long LIMIT = 999_999_999_999_999L;

    private static final Expression DIGIT = digits('0', '9');
    private static final Expression FRACTION = sequence(literal("."), new Repeat(DIGIT, 1, 16));
    private static final Expression EXPONENT =
            sequence(new OneOf(CharSet.of("eE")), optional(new OneOf(CharSet.of("+-"))), new Repeat(DIGIT, 1, 2));

    /** Any number, with a fraction and an exponent or without. */
    static final Expression ANY = sequence(
            optional(literal("-")),
            choice(literal("0"), sequence(digits('1', '9'), new Repeat(DIGIT, 0, 15))),
            optional(FRACTION),
            optional(EXPONENT));

    private JsonNumbers() {}

    /** The whole numbers from first to last. */
    static Expression integers(long first, long last) {
        List<Expression> parts = new ArrayList<>();
        if (first < 0) {
            parts.add(sequence(literal("-"), digitsBetween(Math.max(1, -last), -first)));
        }
        if (last >= 0) {
            parts.add(digitsBetween(Math.max(0, first), last));
        }
        return choice(parts);
    }

    /**
     * The numbers between two whole ones, with a fraction or without.
     *
     * @param withFirst whether the lower bound itself is one of them
     * @param withLast whether the upper bound itself is one of them
     */
    static Expression between(long first, boolean withFirst, long last, boolean withLast) {
        List<Expression> parts = new ArrayList<>();
        if (first < 0) {
            parts.add(sequence(
                    literal("-"), magnitudes(Math.max(0, -last), last < 0 ? withLast : last > 0, -first, withFirst)));
        }
        if (last > 0 || last == 0 && withLast) {
            parts.add(magnitudes(Math.max(0, first), first >= 0 ? withFirst : true, last, withLast));
        }
        return choice(parts);
    }

    /** Numbers without a sign. */
    private static Expression magnitudes(long first, boolean withFirst, long last, boolean withLast) {
        List<Expression> parts = new ArrayList<>();
        long inside = withFirst ? first : first + 1; // from here all fractions are within
        if (!withFirst && first < last) {
            parts.add(sequence(
                    new Literal(Long.toString(first) + "."),
                    new Repeat(literal("0"), 0, 15),
                    digits('1', '9'),
                    new Repeat(DIGIT, 0, 5)));
        }
        if (inside < last) {
            parts.add(sequence(digitsBetween(inside, last - 1), optional(FRACTION)));
        }
        if (withLast && (first < last || withFirst)) {
            parts.add(sequence(
                    new Literal(Long.toString(last)),
                    optional(sequence(literal("."), new Repeat(literal("0"), 1, 16)))));
        }
        return choice(parts);
    }

    private static Expression digits(char first, char last) {
        return new OneOf(CharSet.of(new CharSet.Range(first, last)));
    }

    /** The whole numbers from first to last, not negative, written without leading zeros. */
    private static Expression digitsBetween(long first, long last) {
        List<Expression> parts = new ArrayList<>();
        long from = first;
        if (from == 0) {
            parts.add(literal("0"));
            from = 1;
        }
        while (from <= last) {
            int digits = Long.toString(from).length();
            long to = Math.min(last, longest(from));
            if (Long.toString(from).equals("1" + "0".repeat(digits - 1)) && to == longest(from)) {
                int most = digits; // all numbers of so many digits are within
                while (longest(to + 1) <= last) {
                    to = longest(to + 1);
                    most++;
                }
                parts.add(sequence(digits('1', '9'), new Repeat(DIGIT, digits - 1, most - 1)));
            } else {
                parts.add(sameLength(Long.toString(from), Long.toString(to)));
            }
            from = to + 1;
        }
        return choice(parts);
    }

    /** The last number with as many digits. */
    private static long longest(long number) {
        long power = 10;
        while (power <= number) {
            power *= 10;
        }
        return power - 1;
    }

    private static Expression sameLength(String first, String last) {
        int rest = first.length() - 1;
        if (rest < 0) {
            return Expression.EMPTY;
        }
        char low = first.charAt(0);
        char high = last.charAt(0);
        String firstRest = first.substring(1);
        String lastRest = last.substring(1);
        String zeros = "0".repeat(rest);
        String nines = "9".repeat(rest);
        if (firstRest.equals(zeros) && lastRest.equals(nines)) {
            return sequence(digits(low, high), new Repeat(DIGIT, rest, rest));
        }
        if (low == high) {
            return sequence(digits(low, low), sameLength(firstRest, lastRest));
        }
        List<Expression> parts = new ArrayList<>();
        parts.add(sequence(digits(low, low), sameLength(firstRest, nines)));
        if (low + 1 < high) {
            parts.add(sequence(digits((char) (low + 1), (char) (high - 1)), new Repeat(DIGIT, rest, rest)));
        }
        parts.add(sequence(digits(high, high), sameLength(zeros, lastRest)));
        return choice(parts);
    }
}
