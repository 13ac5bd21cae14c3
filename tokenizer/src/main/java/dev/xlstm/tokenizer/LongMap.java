package dev.xlstm.tokenizer;

import java.util.concurrent.ThreadLocalRandom;

/** A hash map from keys ≥ 0 to values ≥ 0 without boxing. A random seed keeps files from choosing collisions. */
final class LongMap {
    private static final long EMPTY = -1;

    private final long multiplier = ThreadLocalRandom.current().nextLong() | 1;
    private long[] table; // key, value, key, value, ...
    private int shift;
    private int size;

    LongMap(int expected) {
        allocate(Integer.highestOneBit(Math.max(8, expected)) * 4);
    }

    private void allocate(int slots) {
        table = new long[2 * slots];
        for (int i = 0; i < table.length; i += 2) {
            table[i] = EMPTY;
        }
        shift = 64 - Integer.numberOfTrailingZeros(slots);
    }

    /** The value of a key, -1 if it has none. */
    long get(long key) {
        long[] table = this.table;
        int i = slot(key);
        while (true) {
            long found = table[i];
            if (found == key) {
                return table[i + 1];
            }
            if (found == EMPTY) {
                return -1;
            }
            i = (i + 2) & (table.length - 1);
        }
    }

    /** Sets the value of a key, in place of an earlier one. */
    void put(long key, long value) {
        if (4L * size > table.length) { // more than half full
            grow();
        }
        int i = slot(key);
        while (table[i] != EMPTY && table[i] != key) {
            i = (i + 2) & (table.length - 1);
        }
        if (table[i] == EMPTY) {
            size++;
        }
        table[i] = key;
        table[i + 1] = value;
    }

    private int slot(long key) {
        long mixed = key * multiplier;
        return 2 * (int) ((mixed ^ mixed >>> 32) * multiplier >>> shift);
    }

    private void grow() {
        long[] old = table;
        allocate(old.length);
        size = 0;
        for (int i = 0; i < old.length; i += 2) {
            if (old[i] != EMPTY) {
                put(old[i], old[i + 1]);
            }
        }
    }
}
