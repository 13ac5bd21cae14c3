package dev.xlstm.backend;

import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.XlstmWeights;
import java.util.List;
import java.util.Optional;

/** A way to run models; found with {@link java.util.ServiceLoader}, chosen by {@link Backends}. */
public interface Backend {

    /** Short lower-case name: cpu, gpu. */
    String name();

    /** What keeps this machine from using the backend, and what to install or set; empty if nothing does. Cheap. */
    Optional<String> obstacle();

    /** What it would compute on, first the one it takes; empty if there is an {@link #obstacle}. */
    List<Device> devices();

    /**
     * Makes a model ready to run.
     *
     * @param weights stay open as long as the result is used
     * @param threads worker threads, at least 1; for a backend that computes elsewhere only a hint
     * @param progress told by a backend that computes elsewhere
     * @throws DoesNotFitException if the device cannot hold the model
     * @throws IllegalStateException if there is an {@link #obstacle}
     */
    LoadedModel load(XlstmWeights weights, int threads, LoadProgress progress);

    /** {@link #load(XlstmWeights, int, LoadProgress)} without anybody to tell. */
    default LoadedModel load(XlstmWeights weights, int threads) {
        return load(weights, threads, LoadProgress.NONE);
    }
}
