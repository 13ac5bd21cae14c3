package dev.xlstm.backend;

import dev.xlstm.model.XlstmWeights;

/** A device that can run models; found with {@link java.util.ServiceLoader}. */
public interface Backend {

    /** Short lower-case name: cpu, gpu. */
    String name();

    /** Whether this machine has what the backend needs. Cheap; loads nothing large. */
    boolean isAvailable();

    /**
     * Makes a model ready to run.
     *
     * @param weights stay open as long as the result is used
     * @param threads worker threads, at least 1; for a backend that computes elsewhere only a hint
     */
    LoadedModel load(XlstmWeights weights, int threads);
}
