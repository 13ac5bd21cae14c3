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
