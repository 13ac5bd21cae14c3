package dev.xlstm.backend;

import dev.xlstm.model.XlstmConfig;

/** A model on a device. Not thread-safe: it runs one forward pass at a time. */
public interface LoadedModel extends AutoCloseable {

    XlstmConfig config();

    /** The backend's name, and the device if the backend has several; for people to read. */
    default String device() {
        return "cpu";
    }

    /** The largest number of rows (ids of all chunks) in one {@link #forward}. */
    int maxRows();

    /** The state of a sequence that has read nothing: all zero. */
    State newState();

    /**
     * Feeds each chunk of the batch to its state. Prefill, decoding and a step of several sequences are the same call with
     * different numbers of rows.
     *
     * @param batch at most {@link #maxRows()} ids; the states must come from this model and differ from each other
     * @param logits receives {@code [batch.logitRows(), vocab]} in the batch's order; may be null if there are none
     */
    void forward(Batch batch, float[] logits);

    /** The largest number of rows (ids of all chunks) in one {@link #verify}; 0 if the backend cannot verify. */
    default int maxVerifiedRows() {
        return 0;
    }

    /**
     * Computes logits without changing any state. Each row gets exactly the bits that it gets if its sequence is fed one id
     * per pass. {@link #keep} can then feed the first rows of each chunk at a small cost.
     *
     * @param batch at most {@link #maxVerifiedRows()} ids
     * @param logits as in {@link #forward(Batch, float[])}
     */
    default void verify(Batch batch, float[] logits) {
        throw new UnsupportedOperationException("maxVerifiedRows is " + maxVerifiedRows());
    }

    /**
     * Feeds the first rows of a chunk of the last {@link #verify}: the state becomes, to the bit, what feeding them one id
     * per pass would make it. Only once per chunk, and before any other pass.
     *
     * @param state of the chunk
     * @param rows at least 1
     * @throws IllegalStateException if the last pass did not verify rows of this state, or they have been kept
     */
    default void keep(State state, int rows) {
        throw new UnsupportedOperationException("maxVerifiedRows is " + maxVerifiedRows());
    }

    /**
     * The most logits that {@link #forward(Batch, TopLogits, float[])} can select; 0 if the backend computes logits in main
     * memory, where selecting them early saves nothing.
     */
    default int maxTopLogits() {
        return 0;
    }

    /**
     * Feeds one id to one state and selects the largest logits on the device.
     *
     * @param batch one row, with logits
     * @param top receives the largest, at most {@link #maxTopLogits()}; if any logit is not finite, neither is the first
     * @param late receives all logits {@code [vocab]} on {@link #finishLogits}, or before another pass overwrites them on
     *     the device; a pass that writes to the same array drops them
     */
    default void forward(Batch batch, TopLogits top, float[] late) {
        throw new UnsupportedOperationException("maxTopLogits is " + maxTopLogits());
    }

    /** Writes the logits that {@link #forward(Batch, TopLogits, float[])} has not written yet. */
    default void finishLogits() {}

    @Override
    void close();
}
