package dev.xlstm.jinja;

import java.util.Arrays;

/** Builds a {@link TrackedString} and charges a {@link Budget} for each character. */
final class TrackedStringBuilder {

    private final Budget budget;
    private final StringBuilder text = new StringBuilder();
    private int[] untrusted = {}; // from, to, from, to, ...
    private int count; // entries of untrusted in use

    TrackedStringBuilder(Budget budget) {
        this.budget = budget;
    }

    int length() {
        return text.length();
    }

    TrackedStringBuilder append(TrackedString part) {
        budget.chars(part.length() + 4L * part.rangeCount());
        int shift = text.length();
        text.append(part);
        for (int i = 0; i < part.rangeCount(); i++) {
            addRange(part.rangeBegin(i) + shift, part.rangeEnd(i) + shift);
        }
        return this;
    }

    TrackedStringBuilder append(TrackedString whole, int from, int to) {
        return append(whole.substring(from, to));
    }

    /** Appends trusted text. */
    TrackedStringBuilder append(String trusted) {
        budget.chars(trusted.length());
        text.append(trusted);
        return this;
    }

    TrackedStringBuilder append(String part, boolean isTrusted) {
        int from = text.length();
        append(part);
        if (!isTrusted && !part.isEmpty()) {
            addRange(from, text.length());
        }
        return this;
    }

    TrackedStringBuilder appendCodePoint(int codePoint, boolean isTrusted) {
        int from = text.length();
        budget.chars(1);
        text.appendCodePoint(codePoint);
        if (!isTrusted) {
            addRange(from, text.length());
        }
        return this;
    }

    /** Appends a repeated trusted character. */
    TrackedStringBuilder fill(char c, long times) {
        if (times > 0) {
            budget.chars(times);
            text.repeat(c, (int) times);
        }
        return this;
    }

    private void addRange(int from, int to) {
        if (count > 0 && untrusted[count - 1] == from) {
            untrusted[count - 1] = to;
            return;
        }
        if (count == untrusted.length) {
            budget.chars(4);
            untrusted = Arrays.copyOf(untrusted, Math.max(4, 2 * count));
        }
        untrusted[count++] = from;
        untrusted[count++] = to;
    }

    TrackedString build() {
        return TrackedString.of(text.toString(), Arrays.copyOf(untrusted, count));
    }
}
