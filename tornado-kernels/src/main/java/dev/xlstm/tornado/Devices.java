package dev.xlstm.tornado;

import dev.xlstm.model.XlstmWeights;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** The devices TornadoVM finds, and what they can hold. */
final class Devices {

    /** States kept on the device at once, where memory allows. */
    private static final int SLOTS = 8;

    private Devices() {}

    /** Why no device can be used; null if one can. */
    static String problem() {
        try {
            device();
            return null;
        } catch (RuntimeException | LinkageError e) {
            return "TornadoVM finds no device: " + e.getMessage()
                    + "; install the vendor's OpenCL or CUDA driver (clinfo lists OpenCL devices)";
        }
    }

    /** TornadoVM's default: the first device of its first backend, or what its own properties choose. */
    static TornadoDevice device() {
        TornadoBackend backend = TornadoRuntimeProvider.getTornadoRuntime().getBackend(0);
        return backend.getDefaultDevice();
    }

    static GpuModel load(XlstmWeights modelWeights) {
        DeviceWeights weights = new DeviceWeights(modelWeights);
        TornadoDevice device = device();
        int slots = slots(weights, modelWeights.config().stateBytes(), device);
        return new GpuModel(modelWeights, weights, device, compilerFlags(device), slots);
    }

    private static int slots(DeviceWeights weights, long stateBytes, TornadoDevice device) {
        return SLOTS;
    }

    /**
     * Strict arithmetic: OpenCL's fast-math saves nothing where memory is the limit. A device without half-precision
     * arithmetic (PoCL on a CPU) may still have the type under another name.
     */
    static String compilerFlags(TornadoDevice device) {
        if (device.getTornadoVMBackend() != TornadoVMBackendType.OPENCL) {
            return "";
        }
        return "-w -Dhalf=_Float16";
    }
}
