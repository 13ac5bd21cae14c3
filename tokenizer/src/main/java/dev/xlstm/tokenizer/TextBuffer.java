package dev.xlstm.tokenizer;

import java.util.Arrays;

/** The text a stage holds back: {@code chars[0, length)}. */
final class TextBuffer {
    char[] chars = new char[256];
    int length;

    void append(char[] more, int from, int to) {
        int count = to - from;
        if (length + count > chars.length) {
            chars = Arrays.copyOf(chars, Math.max(2 * chars.length, length + count));
        }
        System.arraycopy(more, from, chars, length, count);
        length += count;
    }

    /** Removes the first {@code count} chars. */
    void drop(int count) {
        length -= count;
        System.arraycopy(chars, count, chars, 0, length);
    }
}
