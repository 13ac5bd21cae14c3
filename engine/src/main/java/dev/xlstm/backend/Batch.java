package dev.xlstm.backend;

import java.util.Arrays;

/**
 * The input of one forward pass: chunks of ids, one chunk per state, one row per id. Reused from pass to pass; adding
 * allocates nothing once the arrays have grown.
 */
public final class Batch {

    /** The rows of a chunk that get logits. */
    public enum Logits {
        NONE,
        LAST,
        ALL
    }

    private State[] states = new State[1];
    private int[] starts = new int[2]; // first row of each chunk, then the end of the last
    private Logits[] logits = new Logits[1];
    private int[] ids = new int[1];
    private int chunks;
    private int logitRows;

    /** Removes all chunks. */
    public Batch clear() {
        Arrays.fill(states, 0, chunks, null); // lets the garbage collector free the states
        chunks = 0;
        logitRows = 0;
        return this;
    }

    /** Adds the ids {@code source[from, to)}, at least one, as a chunk for {@code state}. */
    public Batch add(State state, int[] source, int from, int to, Logits wanted) {
        if (from >= to) {
            throw new IllegalArgumentException("a chunk needs at least one id");
        }
        if (chunks == states.length) {
            states = Arrays.copyOf(states, 2 * chunks);
            starts = Arrays.copyOf(starts, 2 * chunks + 1);
            logits = Arrays.copyOf(logits, 2 * chunks);
        }
        int rows = rows();
        if (rows + to - from > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(2 * ids.length, rows + to - from));
        }
        System.arraycopy(source, from, ids, rows, to - from);
        states[chunks] = state;
        logits[chunks] = wanted;
        chunks++;
        starts[chunks] = rows + to - from;
        logitRows += logitRows(chunks - 1);
        return this;
    }

    /** Adds the chunks of another batch. */
    public Batch addAll(Batch other) {
        for (int c = 0; c < other.chunks; c++) {
            add(other.states[c], other.ids, other.starts[c], other.starts[c + 1], other.logits[c]);
        }
        return this;
    }

    /** All ids of all chunks. */
    public int rows() {
        return starts[chunks];
    }

    public int chunks() {
        return chunks;
    }

    public State state(int chunk) {
        return states[chunk];
    }

    /** The first row of a chunk; {@code start(chunk + 1)} is its end. */
    public int start(int chunk) {
        return starts[chunk];
    }

    public int id(int row) {
        return ids[row];
    }

    /** Rows of logits, over all chunks. */
    public int logitRows() {
        return logitRows;
    }

    /** Rows of logits of a chunk; they are those of its last ids. */
    public int logitRows(int chunk) {
        return switch (logits[chunk]) {
            case NONE -> 0;
            case LAST -> 1;
            case ALL -> starts[chunk + 1] - starts[chunk];
        };
    }

    /**
     * Checks the preconditions of a forward pass.
     *
     * @param maxRows largest number of rows
     * @param logits receives the rows of logits; may be null if there are none
     * @throws IllegalArgumentException if there are no rows or too many, if an id is outside the vocabulary, or if the array
     *     is too short
     */
    public void check(int maxRows, int vocabSize, float[] logits) {
        if (rows() == 0 || rows() > maxRows) {
            throw new IllegalArgumentException(rows() + " rows in a batch; it takes 1 to " + maxRows);
        }
        for (int r = 0; r < rows(); r++) {
            if (ids[r] < 0 || ids[r] >= vocabSize) {
                throw new IllegalArgumentException("id " + ids[r] + " is outside the vocabulary of " + vocabSize);
            }
        }
        if (logitRows > 0 && logits.length < logitRows * vocabSize) {
            throw new IllegalArgumentException("the array has no room for " + logitRows + " rows of logits");
        }
    }
}
