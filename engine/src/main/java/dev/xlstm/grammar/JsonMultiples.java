package dev.xlstm.grammar;

import dev.xlstm.grammar.RuleBody.OneOf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The multiples of an integer within bounds, as rules over decimal digits whose states are remainders. */
final class JsonMultiples {

    private final long divisor; // without its powers of ten
    private final long power; // the largest power of ten that divides the number
    private final RuleSet rules;
    private final Map<List<Long>, RuleBody> tails = new HashMap<>(); // by digits left and remainder; null if none

    JsonMultiples(long divisor, RuleSet rules) {
        long rest = divisor;
        long tens = 1;
        while (rest % 10 == 0) {
            rest /= 10;
            tens *= 10;
        }
        this.divisor = rest;
        power = tens;
        this.rules = rules;
    }

    RuleBody between(long first, long last) {
        List<RuleBody> parts = new ArrayList<>();
        if (first < 0) {
            add(parts, RuleBody.literal("-"), magnitudes(Math.max(1, -last), -first));
        }
        if (last >= 0) {
            RuleBody magnitudes = magnitudes(Math.max(0, first), last);
            if (magnitudes != null) {
                parts.add(magnitudes);
            }
        }
        return RuleBody.choice(parts);
    }

    private static void add(List<RuleBody> parts, RuleBody before, RuleBody rest) {
        if (rest != null) {
            parts.add(RuleBody.sequence(before, rest));
        }
    }

    /** The non-negative multiples between two bounds, without leading zeros; null if there are none. */
    private RuleBody magnitudes(long first, long last) {
        List<RuleBody> parts = new ArrayList<>();
        if (first == 0) {
            parts.add(RuleBody.literal("0"));
        }
        // digits without the zeros that the powers of ten add
        long low = Math.max(1, Math.ceilDiv(first, power));
        long high = last / power;
        RuleBody zeros = RuleBody.literal(Long.toString(power).substring(1));
        for (long least = 1; least <= high; least *= 10) { // numbers of one length at a time
            long from = Math.max(low, least);
            long to = Math.min(high, least * 10 - 1);
            RuleBody part = from > to ? null : digits(Long.toString(from), Long.toString(to), 0, 0, true, true);
            if (part != null) {
                parts.add(RuleBody.sequence(part, zeros));
            }
        }
        return parts.isEmpty() ? null : RuleBody.choice(parts);
    }

    /**
     * The rest of a number from a digit on; null if there is none.
     *
     * @param from the lower bound, as many digits as the upper one
     * @param remainder of the digits before
     * @param low whether the digits before equal those of the lower bound
     * @param high whether the digits before equal those of the upper bound
     */
    private RuleBody digits(String from, String to, int at, long remainder, boolean low, boolean high) {
        if (at == to.length()) {
            return remainder == 0 ? RuleBody.EMPTY : null;
        }
        if (!low && !high) {
            return tail(to.length() - at, remainder);
        }
        List<RuleBody> ways = new ArrayList<>();
        char first = low ? from.charAt(at) : '0';
        char last = high ? to.charAt(at) : '9';
        for (char digit = first; digit <= last; digit++) {
            long next = (remainder * 10 + digit - '0') % divisor;
            RuleBody rest = digits(from, to, at + 1, next, low && digit == first, high && digit == last);
            add(ways, digit(digit), rest);
        }
        return ways.isEmpty() ? null : RuleBody.choice(ways);
    }

    private static RuleBody digit(char digit) {
        return new OneOf(CharSet.of(new CharSet.Range(digit, digit)));
    }

    /** Any {@code count} digits that complete a multiple. */
    private RuleBody tail(int count, long remainder) {
        if (count == 0) {
            return remainder == 0 ? RuleBody.EMPTY : null;
        }
        List<Long> key = List.of((long) count, remainder);
        if (!tails.containsKey(key)) {
            List<RuleBody> ways = new ArrayList<>();
            for (char digit = '0'; digit <= '9'; digit++) {
                add(ways, digit(digit), tail(count - 1, (remainder * 10 + digit - '0') % divisor));
            }
            tails.put(key, ways.isEmpty() ? null : rules.add("multiple", RuleBody.choice(ways)));
        }
        return tails.get(key);
    }
}
