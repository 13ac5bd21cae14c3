package dev.xlstm.backend.cpu;

import com.sun.management.OperatingSystemMXBean;
import dev.xlstm.backend.Backend;
import dev.xlstm.backend.Device;
import dev.xlstm.backend.LoadProgress;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.model.XlstmWeights;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;

/** Runs models on the CPU, with kernels that use the Vector API. */
public final class CpuBackend implements Backend {

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Optional<String> obstacle() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? Optional.empty()
                : Optional.of("the JVM runs without its vector module; start xlstm with its launcher,"
                        + " or add --add-modules=jdk.incubator.vector");
    }

    @Override
    public List<Device> devices() {
        if (obstacle().isPresent()) {
            return List.of();
        }
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        int processors = Runtime.getRuntime().availableProcessors();
        long memory = system.getTotalMemorySize();
        return List.of(new Device(processors + " processors, " + System.getProperty("os.arch"), memory, memory, true));
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException without the Vector API: there is no scalar fallback
     */
    @Override
    public LoadedModel load(XlstmWeights weights, int threads, LoadProgress progress) {
        obstacle().ifPresent(obstacle -> {
            throw new IllegalStateException(obstacle);
        });
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + threads);
        }
        return new CpuModel(weights, threads);
    }
}
