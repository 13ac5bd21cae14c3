package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.Literal;
import dev.xlstm.grammar.RuleBody.OneOf;
import dev.xlstm.grammar.RuleBody.Repeat;
import java.util.ArrayList;
import java.util.List;

import static dev.xlstm.grammar.RuleBody.choice;
import static dev.xlstm.grammar.RuleBody.literal;
import static dev.xlstm.grammar.RuleBody.optional;
import static dev.xlstm.grammar.RuleBody.sequence;

/** JSON numbers, with and without bounds. Their length is limited, so that no number grows to a thousand digits. */
final class JsonNumbers {

    /** The largest bound supported; also the bound where a schema sets none. */
    static final long LIMIT = 999_999_999_999_999L;

    private static final RuleBody DIGIT = digits('0', '9');
    private static final RuleBody FRACTION = sequence(literal("."), new Repeat(DIGIT, 1, 16));
    private static final RuleBody EXPONENT =
            sequence(new OneOf(CharSet.of("eE")), optional(new OneOf(CharSet.of("+-"))), new Repeat(DIGIT, 1, 2));

    /** Any number; fraction and exponent are optional. */
    static final RuleBody ANY = sequence(
            optional(literal("-")),
            choice(literal("0"), sequence(digits('1', '9'), new Repeat(DIGIT, 0, 15))),
            optional(FRACTION),
            optional(EXPONENT));

    private JsonNumbers() {}

    /** The integers from first to last. */
    static RuleBody integers(long first, long last) {
        List<RuleBody> parts = new ArrayList<>();
        if (first < 0) {
            parts.add(sequence(literal("-"), digitsBetween(Math.max(1, -last), -first)));
        }
        if (last >= 0) {
            parts.add(digitsBetween(Math.max(0, first), last));
        }
        return choice(parts);
    }

    /**
     * The numbers between two integers, with or without a fraction.
     *
     * @param withFirst whether the lower bound is inclusive
     * @param withLast whether the upper bound is inclusive
     */
    static RuleBody between(long first, boolean withFirst, long last, boolean withLast) {
        List<RuleBody> parts = new ArrayList<>();
        if (first < 0) {
            parts.add(sequence(
                    literal("-"), magnitudes(Math.max(0, -last), last < 0 ? withLast : last > 0, -first, withFirst)));
        }
        if (last > 0 || last == 0 && withLast) {
            parts.add(magnitudes(Math.max(0, first), first >= 0 ? withFirst : true, last, withLast));
        }
        return choice(parts);
    }

    /** The same for non-negative bounds. */
    private static RuleBody magnitudes(long first, boolean withFirst, long last, boolean withLast) {
        List<RuleBody> parts = new ArrayList<>();
        long inside = withFirst ? first : first + 1; // from here on every fraction is within the bounds
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

    private static RuleBody digits(char first, char last) {
        return new OneOf(CharSet.of(new CharSet.Range(first, last)));
    }

    /** The non-negative integers from first to last, without leading zeros. */
    private static RuleBody digitsBetween(long first, long last) {
        List<RuleBody> parts = new ArrayList<>();
        long from = first;
        if (from == 0) {
            parts.add(literal("0"));
            from = 1;
        }
        while (from <= last) {
            int digits = Long.toString(from).length();
            long to = Math.min(last, longest(from));
            if (Long.toString(from).equals("1" + "0".repeat(digits - 1)) && to == longest(from)) {
                int most = digits; // every number with this many digits is within
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

    /** The largest number with as many digits. */
    private static long longest(long number) {
        long power = 10;
        while (power <= number) {
            power *= 10;
        }
        return power - 1;
    }

    private static RuleBody sameLength(String first, String last) {
        int rest = first.length() - 1;
        if (rest < 0) {
            return RuleBody.EMPTY;
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
        List<RuleBody> parts = new ArrayList<>();
        parts.add(sequence(digits(low, low), sameLength(firstRest, nines)));
        if (low + 1 < high) {
            parts.add(sequence(digits((char) (low + 1), (char) (high - 1)), new Repeat(DIGIT, rest, rest)));
        }
        parts.add(sequence(digits(high, high), sameLength(zeros, lastRest)));
        return choice(parts);
    }
}
