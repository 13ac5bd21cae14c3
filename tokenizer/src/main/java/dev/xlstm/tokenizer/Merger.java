package dev.xlstm.tokenizer;

import java.util.Arrays;

/** Byte-pair merging: merges the neighbours of the lowest rank first, and the leftmost of these. */
final class Merger {
    /** Up to this many symbols, a scan for the lowest rank is faster than a heap. */
    private static final int SHORT = 40;

    private static final long NO_MERGE = Long.MAX_VALUE;

    private final LongMap merges; // left id << 32 | right id → rank << 32 | merged id
    private final long[] pairs = new long[SHORT]; // what symbols i and i + 1 would make

    Merger(LongMap merges) {
        this.merges = merges;
    }

    /** Merges {@code ids[0, count)} in place and returns how many remain. */
    int merge(int[] ids, int count) {
        return count <= SHORT ? mergeShort(ids, count) : mergeLong(ids, count);
    }

    private long pair(int left, int right) {
        long merge = merges.get((long) left << 32 | right);
        return merge < 0 ? NO_MERGE : merge;
    }

    private int mergeShort(int[] ids, int count) {
        for (int i = 0; i < count - 1; i++) {
            pairs[i] = pair(ids[i], ids[i + 1]);
        }
        while (true) {
            int best = 0;
            long lowest = NO_MERGE;
            for (int i = 0; i < count - 1; i++) {
                if (pairs[i] < lowest) {
                    lowest = pairs[i];
                    best = i;
                }
            }
            if (lowest == NO_MERGE) {
                return count;
            }
            ids[best] = (int) lowest;
            int moved = count - best - 2;
            System.arraycopy(ids, best + 2, ids, best + 1, moved);
            count--;
            if (moved > 0) {
                System.arraycopy(pairs, best + 1, pairs, best, moved);
                pairs[best] = pair(ids[best], ids[best + 1]);
            }
            if (best > 0) {
                pairs[best - 1] = pair(ids[best - 1], ids[best]);
            }
        }
    }

    /** O(n log n): symbols in a linked list, candidate merges in a heap; a stale candidate is dropped when it is polled. */
    private int mergeLong(int[] ids, int count) {
        int[] next = new int[count];
        int[] previous = new int[count];
        Heap heap = new Heap(count);
        for (int i = 0; i < count; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < count) {
                offer(heap, ids, i, i + 1);
            }
        }
        int left = count;
        while (!heap.isEmpty()) {
            long candidate = heap.poll();
            int at = (int) candidate;
            if (ids[at] < 0 || next[at] == count) {
                continue; // the symbol is part of another one, or the last
            }
            int right = next[at];
            long merge = pair(ids[at], ids[right]);
            if (merge == NO_MERGE || merge >>> 32 != candidate >>> 32) {
                continue; // the symbol or its neighbour has grown since
            }
            ids[at] = (int) merge;
            ids[right] = -1;
            int after = next[right];
            next[at] = after;
            left--;
            if (after < count) {
                previous[after] = at;
                offer(heap, ids, at, after);
            }
            if (previous[at] >= 0) {
                offer(heap, ids, previous[at], at);
            }
        }
        int to = 0;
        for (int i = 0; i < count; i = next[i]) {
            ids[to++] = ids[i];
        }
        assert to == left;
        return to;
    }

    private void offer(Heap heap, int[] ids, int at, int right) {
        long merge = pair(ids[at], ids[right]);
        if (merge != NO_MERGE) {
            heap.add(merge >>> 32 << 32 | at);
        }
    }

    /** The lowest of many longs. */
    private static final class Heap {
        private long[] values;
        private int size;

        Heap(int expected) {
            values = new long[expected];
        }

        boolean isEmpty() {
            return size == 0;
        }

        void add(long value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, size + size / 2 + 1);
            }
            int i = size++;
            while (i > 0) {
                int parent = (i - 1) / 2;
                if (values[parent] <= value) {
                    break;
                }
                values[i] = values[parent];
                i = parent;
            }
            values[i] = value;
        }

        long poll() {
            long lowest = values[0];
            long value = values[--size];
            int i = 0;
            while (true) {
                int child = 2 * i + 1;
                if (child >= size) {
                    break;
                }
                if (child + 1 < size && values[child + 1] < values[child]) {
                    child++;
                }
                if (values[child] >= value) {
                    break;
                }
                values[i] = values[child];
                i = child;
            }
            values[i] = value;
            return lowest;
        }
    }
}
