package dev.xlstm.backend;

/** Follows a model on its way to a device with a memory of its own. */
public interface LoadProgress {

    /** Tells nobody. */
    LoadProgress NONE = (bytes, ofAll) -> {};

    /**
     * Weights have been made ready for the device. When all are, they are sent at once, and the device's kernels are
     * compiled.
     *
     * @param bytes so far, as the model's files have them
     */
    void prepared(long bytes, long ofAll);
}
