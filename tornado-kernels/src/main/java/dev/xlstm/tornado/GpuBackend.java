package dev.xlstm.tornado;

import dev.xlstm.backend.Backend;
import dev.xlstm.backend.Device;
import dev.xlstm.backend.LoadProgress;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.model.XlstmWeights;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs models on TornadoVM's default device, with kernels compiled from the Java methods of this package. The class names no
 * TornadoVM type, because it must load without TornadoVM.
 */
public final class GpuBackend implements Backend {

    private static final String BAILOUT = "tornado.recover.bailout";

    /** TornadoVM reads these properties once, when its classes load. */
    private static final Map<String, String> SETTINGS = Map.of(
            // by default a kernel that does not compile runs as a single Java thread, with wrong results
            BAILOUT,
            "False",
            // the default is 4 GB; Devices checks the device's own limits
            "tornado.device.memory",
            "1TB",
            // bytecode of one graph; the default of 4 KB holds less than three layers
            "tornado.tvm.maxbytecodesize",
            "4194304");

    @Override
    public String name() {
        return "gpu";
    }

    @Override
    public Optional<String> obstacle() {
        if (ModuleLayer.boot().findModule("tornado.runtime").isEmpty()) {
            return Optional.of(
                    "the JVM was started without TornadoVM; set TORNADOVM_HOME to its SDK and start xlstm with its launcher");
        }
        SETTINGS.forEach((name, value) -> {
            if (System.getProperty(name) == null) {
                System.setProperty(name, value);
            }
        });
        if (!"false".equalsIgnoreCase(System.getProperty(BAILOUT))) {
            return Optional.of(
                    "-D" + BAILOUT + " must be False, or kernels that do not compile would give wrong results");
        }
        return Devices.obstacle();
    }

    @Override
    public List<Device> devices() {
        return obstacle().isPresent() ? List.of() : Devices.list();
    }

    @Override
    public LoadedModel load(XlstmWeights weights, int threads, LoadProgress progress) {
        obstacle().ifPresent(obstacle -> {
            throw new IllegalStateException(obstacle);
        });
        return Devices.load(weights, progress);
    }
}
