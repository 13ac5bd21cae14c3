package dev.xlstm.backend;

/** Reports the loading of a model onto a device with its own memory. */
public interface LoadProgress {

    /** Ignores all reports. */
    LoadProgress NONE = (bytes, ofAll) -> {};

    /**
     * The backend has prepared weights for the device. After the last of them it sends all weights and compiles its kernels.
     *
     * @param bytes prepared so far, counted as in the model's files
     * @param ofAll bytes of all weights
     */
    void prepared(long bytes, long ofAll);
}
