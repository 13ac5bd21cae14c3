package dev.xlstm.generation;

import dev.xlstm.error.BadRequestException;
import java.util.Arrays;

/** The ids of a text since it entered a grammar that it has not left: enough to go on in the middle of it. */
final class GrammarProgress {

    /** What a state file has room for. */
    private static final int MAX_IDS = 1_000_000;

    private final String hash;
    private int[] ids;
    private int count;

    /** At the beginning of a grammar. */
    GrammarProgress(String hash) {
        this(hash, new int[0]);
    }

    GrammarProgress(String hash, int[] ids) {
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

    GrammarProgress copy() {
        return new GrammarProgress(hash, ids());
    }

    /**
     * Appends an id.
     *
     * @throws BadRequestException after more ids than can be kept
     */
    void add(int id) {
        if (count == MAX_IDS) {
            throw new BadRequestException(
                    "a text within a grammar can be saved up to " + MAX_IDS + " tokens; end it before");
        }
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, Math.max(64, 2 * count));
        }
        ids[count++] = id;
    }
}
