package dev.xlstm.backend;

import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.XlstmWeights;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;

/** Finds the backends and selects one. */
public final class Backends {

    /** Selects the fastest backend that can run the model. */
    public static final String AUTO = "auto";

    /** The message if no GPU backend is on the class path. */
    public static final String NO_GPU =
            "this build has no GPU backend; install TornadoVM (https://www.tornadovm.org), set"
                    + " TORNADOVM_HOME to its SDK and start xlstm with its launcher, which builds the backend";

    private static final String CPU = "cpu";

    private Backends() {}

    /** All backends on the class path, whether or not this machine can use them; the CPU is last. */
    public static List<Backend> all() {
        List<Backend> backends = new ArrayList<>();
        ServiceLoader.load(Backend.class).forEach(backends::add);
        backends.sort(Comparator.comparing(b -> b.name().equals(CPU)));
        return backends;
    }

    /**
     * Loads a model on the named backend. {@link #AUTO} selects the first backend with a preferred device that the model
     * fits, or else the CPU.
     *
     * @throws IllegalStateException if the backend does not exist or cannot be used; the message says what to do
     * @throws DoesNotFitException if the named backend's device cannot hold the model
     */
    public static LoadedModel load(String choice, XlstmWeights weights, int threads, LoadProgress progress) {
        return load(all(), choice, weights, threads, progress);
    }

    static LoadedModel load(
            List<Backend> backends, String choice, XlstmWeights weights, int threads, LoadProgress progress) {
        for (Backend backend : backends) {
            if (choice.equals(backend.name())) {
                return backend.load(weights, threads, progress);
            }
            if (choice.equals(AUTO) && (backend.name().equals(CPU) || isPreferred(backend))) {
                try {
                    return backend.load(weights, threads, progress);
                } catch (DoesNotFitException e) {
                    if (backend.name().equals(CPU)) {
                        throw e;
                    }
                }
            }
        }
        if (choice.equals("gpu")) {
            throw new IllegalStateException(NO_GPU);
        }
        throw new IllegalStateException("there is no backend '" + choice + "'");
    }

    private static boolean isPreferred(Backend backend) {
        return !backend.devices().isEmpty() && backend.devices().getFirst().preferred();
    }
}
