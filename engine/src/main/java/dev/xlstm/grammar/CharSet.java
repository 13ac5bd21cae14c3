package dev.xlstm.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A set of Unicode characters: ascending, non-adjacent ranges. Never contains surrogates, which are not characters.
 *
 * @param ranges inclusive
 */
record CharSet(List<Range> ranges) {

    record Range(int first, int last) {}

    static final int MAX = Character.MAX_CODE_POINT;

    static final CharSet ALL = of(new Range(0, MAX));

    /** The union of ranges in any order. */
    static CharSet of(List<Range> parts) {
        List<Range> sorted = new ArrayList<>();
        for (Range part : parts) { // without the surrogates
            addIfAny(sorted, part.first(), Math.min(part.last(), Character.MIN_SURROGATE - 1));
            addIfAny(sorted, Math.max(part.first(), Character.MAX_SURROGATE + 1), part.last());
        }
        sorted.sort(Comparator.comparingInt(Range::first));
        List<Range> merged = new ArrayList<>();
        for (Range range : sorted) {
            int end = merged.size() - 1;
            if (end >= 0 && range.first() <= merged.get(end).last() + 1) {
                Range before = merged.get(end);
                merged.set(end, new Range(before.first(), Math.max(before.last(), range.last())));
            } else {
                merged.add(range);
            }
        }
        return new CharSet(List.copyOf(merged));
    }

    static CharSet of(Range... parts) {
        return of(List.of(parts));
    }

    /** Each character of a string. */
    static CharSet of(String chars) {
        return of(chars.codePoints().mapToObj(c -> new Range(c, c)).toList());
    }

    private static void addIfAny(List<Range> ranges, int first, int last) {
        if (first <= last) {
            ranges.add(new Range(first, last));
        }
    }

    CharSet negate() {
        List<Range> gaps = new ArrayList<>();
        int next = 0;
        for (Range range : ranges) {
            addIfAny(gaps, next, range.first() - 1);
            next = range.last() + 1;
        }
        addIfAny(gaps, next, MAX);
        return of(gaps);
    }

    CharSet plus(CharSet other) {
        List<Range> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        return of(all);
    }

    CharSet minus(CharSet other) {
        return negate().plus(other).negate();
    }

    boolean contains(int c) {
        return ranges.stream().anyMatch(range -> range.first() <= c && c <= range.last());
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }
}
