package dev.xlstm.backend;

import dev.xlstm.model.XlstmConfig;

/** A model on a device. Not thread-safe: one forward pass at a time. */
public interface LoadedModel extends AutoCloseable {

    XlstmConfig config();

    /** Where it computes, for people to read: the backend's name, and the device where there is a choice. */
    default String device() {
        return "cpu";
    }

    /** The most rows (ids of all chunks together) one {@link #forward} takes. */
    int maxRows();

    /** A state of a sequence that has read nothing: all zero. */
    State newState();

    /**
     * Feeds every chunk of the batch to its state. Prefill, decode and a step of several sequences are this one call:
     * they differ in the number of rows.
     *
     * @param batch at most {@link #maxRows()} ids; the states must come from this model and differ from each other
     * @param logits receives the rows the batch asks for, {@code [batch.logitRows(), vocab]}, in the batch's order; may
     *     be null if it asks for none
     */
    void forward(Batch batch, float[] logits);

    /**
     * The most logits {@link #forward(Batch, TopLogits, float[])} picks out; 0 where there is nothing to be gained by it,
     * because all of them are at hand after a pass.
     */
    default int maxTopLogits() {
        return 0;
    }

    /**
     * Feeds one id to one state, and picks the largest logits out where they were computed.
     *
     * @param batch one row, with logits
     * @param top receives the largest, at most {@link #maxTopLogits()}; if any logit is not finite, nor is the first of
     *     these
     * @param late receives all logits {@code [vocab]} when somebody asks for them with {@link #finishLogits}, or before
     *     another pass writes over them; a pass that has the same array to write to drops them
     */
    default void forward(Batch batch, TopLogits top, float[] late) {
        throw new UnsupportedOperationException("maxTopLogits is " + maxTopLogits());
    }

    /** Writes what {@link #forward(Batch, TopLogits, float[])} has left unwritten. */
    default void finishLogits() {}

    @Override
    void close();
}
