package dev.xlstm.jinja;

import java.util.Arrays;

/**
 * An immutable string that records which of its characters come from untrusted input. Operations keep the record for each
 * character; where a result cannot be attributed, all of it is untrusted. Equality and hash code depend on the characters
 * alone.
 */
public final class TrackedString implements CharSequence {

    private static final int[] NO_RANGES = {};

    static final TrackedString EMPTY = trusted("");

    private final String text;
    private final int[] untrusted; // from, to, from, to, ...: chars; ascending, not empty, not adjacent
    private final boolean markup; // HTML that needs no escaping: Python's markupsafe.Markup

    private TrackedString(String text, int[] untrusted, boolean markup) {
        this.text = text;
        this.untrusted = untrusted;
        this.markup = markup;
    }

    /** A string that the template or the program wrote. */
    public static TrackedString trusted(String text) {
        return new TrackedString(text, NO_RANGES, false);
    }

    /** A string that somebody else wrote: a user, a file, a tool or a model. */
    public static TrackedString untrusted(String text) {
        return new TrackedString(text, text.isEmpty() ? NO_RANGES : new int[] {0, text.length()}, false);
    }

    /**
     * @param ranges as {@link #untrustedRanges} returns them
     */
    static TrackedString of(String text, int[] ranges) {
        return new TrackedString(text, ranges.length == 0 ? NO_RANGES : ranges, false);
    }

    /** Whether all characters in {@code [from, to)} are trusted. */
    public boolean isTrusted(int from, int to) {
        int range = firstRangeEndingAfter(from);
        return from >= to || 2 * range >= untrusted.length || untrusted[2 * range] >= to;
    }

    /** Binary search: operations on each character stay fast with many ranges. */
    private int firstRangeEndingAfter(int index) {
        int low = 0;
        int high = untrusted.length / 2;
        while (low < high) {
            int middle = (low + high) / 2;
            if (untrusted[2 * middle + 1] > index) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    /** The untrusted ranges as pairs of begin and end: ascending, not empty, not adjacent. */
    public int[] untrustedRanges() {
        return untrusted.clone();
    }

    int rangeCount() {
        return untrusted.length / 2;
    }

    int rangeBegin(int range) {
        return untrusted[2 * range];
    }

    int rangeEnd(int range) {
        return untrusted[2 * range + 1];
    }

    boolean isTrusted() {
        return untrusted.length == 0;
    }

    /** Whether every character has the same origin. */
    boolean isUniform() {
        return untrusted.length == 0 || untrusted.length == 2 && untrusted[0] == 0 && untrusted[1] == text.length();
    }

    /** A text derived from this one as a whole: untrusted if any character of this one is. */
    TrackedString derive(String derived) {
        return isTrusted() ? trusted(derived) : untrusted(derived);
    }

    /** A text of the same length in which each character derives from the one at its index. */
    TrackedString replaceChars(String derived) {
        return new TrackedString(derived, untrusted, markup);
    }

    public TrackedString concat(TrackedString other) {
        if (text.isEmpty()) {
            return other.asText();
        }
        int shift = text.length();
        int count = untrusted.length;
        boolean join =
                count > 0 && untrusted[count - 1] == shift && other.untrusted.length > 0 && other.untrusted[0] == 0;
        int[] ranges = Arrays.copyOf(untrusted, count + other.untrusted.length - (join ? 2 : 0));
        int at = join ? count - 1 : count;
        for (int i = join ? 1 : 0; i < other.untrusted.length; i++) {
            ranges[at++] = other.untrusted[i] + shift;
        }
        return of(text + other.text, ranges);
    }

    public TrackedString substring(int from, int to) {
        if (from == 0 && to == text.length()) {
            return asText();
        }
        int first = firstRangeEndingAfter(from);
        int end = first; // after the last range that begins before to
        while (2 * end < untrusted.length && untrusted[2 * end] < to) {
            end++;
        }
        if (first == end) {
            return trusted(text.substring(from, to));
        }
        int[] ranges = Arrays.copyOfRange(untrusted, 2 * first, 2 * end);
        for (int i = 0; i < ranges.length; i++) {
            ranges[i] = Math.clamp(ranges[i], from, to) - from;
        }
        return of(text.substring(from, to), ranges);
    }

    TrackedString substring(int from) {
        return substring(from, text.length());
    }

    boolean isMarkup() {
        return markup;
    }

    TrackedString asMarkup() {
        return markup ? this : new TrackedString(text, untrusted, true);
    }

    TrackedString asText() {
        return markup ? new TrackedString(text, untrusted, false) : this;
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public char charAt(int index) {
        return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int from, int to) {
        return substring(from, to);
    }

    /** Compares by code points, as Python does. */
    int compareCodePoints(TrackedString other) {
        int length = Math.min(text.length(), other.text.length());
        for (int i = 0; i < length; i++) {
            char a = text.charAt(i);
            char b = other.text.charAt(i);
            if (a != b) {
                // a surrogate begins a code point above all others
                boolean high = Character.isSurrogate(a);
                return high == Character.isSurrogate(b) ? Character.compare(a, b) : high ? 1 : -1;
            }
        }
        return Integer.compare(text.length(), other.text.length());
    }

    @Override
    public boolean equals(Object object) {
        return object instanceof TrackedString other && other.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** The characters, without the record. */
    @Override
    public String toString() {
        return text;
    }
}
