package dev.xlstm.generation;

import dev.xlstm.sampling.Sampler;

/**
 * The last ids of a text, for samplers that begin in the middle of it. A ring: a text without end needs no more memory.
 */
final class History {

    /** As far back as any sampler's window should reach. */
    private static final int CAPACITY = 8192;

    private final int[] ring = new int[CAPACITY];
    private long added;

    void add(int id) {
        ring[(int) (added % CAPACITY)] = id;
        added++;
    }

    /** How many ids there have been, forgotten ones included. */
    long added() {
        return added;
    }

    /** Tells a sampler of the ids from a place on, oldest first. */
    void replay(Sampler sampler, long from) {
        for (long i = Math.max(from, added - CAPACITY); i < added; i++) {
            sampler.accept(ring[(int) (i % CAPACITY)]);
        }
    }

    /** The ids that are not forgotten, oldest first. */
    int[] toArray() {
        int[] ids = new int[(int) Math.min(added, CAPACITY)];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = ring[(int) ((added - ids.length + i) % CAPACITY)];
        }
        return ids;
    }

    History copy() {
        History copy = new History();
        System.arraycopy(ring, 0, copy.ring, 0, CAPACITY);
        copy.added = added;
        return copy;
    }
}
