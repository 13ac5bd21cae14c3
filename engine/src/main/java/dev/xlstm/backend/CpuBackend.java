package dev.xlstm.backend;

import dev.xlstm.model.XlstmWeights;

/** The CPU, with the kernels of the Vector API. */
public final class CpuBackend implements Backend {

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public boolean isAvailable() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException without the Vector API: there is no scalar fallback
     */
    @Override
    public LoadedModel load(XlstmWeights weights, int threads) {
        if (!isAvailable()) {
            throw new IllegalStateException(
                    "the JVM was started without its vector module; start xlstm with its launcher,"
                            + " or add --add-modules=jdk.incubator.vector");
        }
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + threads);
        }
        return new CpuModel(weights, threads);
    }
}
