package dev.xlstm.backend;

import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.XlstmWeights;
import java.util.List;
import java.util.Optional;

/** Runs models on one kind of device. {@link Backends} finds implementations with {@link java.util.ServiceLoader}. */
public interface Backend {

    /** Short lower-case name: cpu, gpu. */
    String name();

    /** Why this machine cannot use the backend, and what to install or set; empty if it can. Cheap to call. */
    Optional<String> obstacle();

    /** Its devices, the one that {@link #load} uses first; empty if there is an {@link #obstacle}. */
    List<Device> devices();

    /**
     * Loads a model onto the first device.
     *
     * @param weights must stay open while the result is used
     * @param threads worker threads, at least 1; a hint for backends that do not compute on the CPU
     * @param progress called by backends that copy weights to a device
     * @throws DoesNotFitException if the device cannot hold the model
     * @throws IllegalStateException if there is an {@link #obstacle}
     */
    LoadedModel load(XlstmWeights weights, int threads, LoadProgress progress);

    /** {@link #load(XlstmWeights, int, LoadProgress)} without progress reports. */
    default LoadedModel load(XlstmWeights weights, int threads) {
        return load(weights, threads, LoadProgress.NONE);
    }
}
