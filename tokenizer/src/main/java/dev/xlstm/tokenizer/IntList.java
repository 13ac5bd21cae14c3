package dev.xlstm.tokenizer;

import java.util.Arrays;

/** A growing list of ids. */
final class IntList {
    private int[] values = new int[64];
    private int size;

    void add(int value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, 2 * size);
        }
        values[size++] = value;
    }

    void addAll(int[] more, int count) {
        if (size + count > values.length) {
            values = Arrays.copyOf(values, Math.max(2 * values.length, size + count));
        }
        System.arraycopy(more, 0, values, size, count);
        size += count;
    }

    /** All values so far; the list is empty afterwards. */
    int[] drain() {
        int[] drained = Arrays.copyOf(values, size);
        size = 0;
        return drained;
    }
}
