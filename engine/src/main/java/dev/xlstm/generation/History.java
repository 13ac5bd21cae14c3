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

    /** Tells a new sampler of the ids, oldest first. */
    void replay(Sampler sampler) {
        for (long i = Math.max(0, added - CAPACITY); i < added; i++) {
            sampler.accept(ring[(int) (i % CAPACITY)]);
        }
    }

    History copy() {
        History copy = new History();
        System.arraycopy(ring, 0, copy.ring, 0, CAPACITY);
        copy.added = added;
        return copy;
    }
}
