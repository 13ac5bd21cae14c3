package dev.xlstm.generation;

import java.util.Arrays;

/** How far a text has come within a grammar that it has not ended: the ids since the grammar began. */
final class GrammarPlace {

    /** What a state file has room for. */
    private static final int MOST_IDS = 1_000_000;

    private final String hash;
    private int[] ids;
    private int count;

    /** At the beginning of a grammar. */
    GrammarPlace(String hash) {
        this(hash, new int[0]);
    }

    GrammarPlace(String hash, int[] ids) {
        this.hash = hash;
        this.ids = ids;
        count = ids.length;
    }

    /** Of the grammar. */
    String hash() {
        return hash;
    }

    int[] ids() {
        return Arrays.copyOf(ids, count);
    }

    GrammarPlace copy() {
        return new GrammarPlace(hash, ids());
    }

    /**
     * Goes on.
     *
     * @throws IllegalStateException after more ids than can be kept
     */
    void add(int id) {
        if (count == MOST_IDS) {
            throw new IllegalStateException(
                    "a text within a grammar can be saved up to " + MOST_IDS + " tokens; end it before");
        }
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, Math.max(64, 2 * count));
        }
        ids[count++] = id;
    }
}
