package dev.xlstm.tornado;

import dev.xlstm.backend.Device;
import dev.xlstm.backend.LoadProgress;
import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.XlstmWeights;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoOutOfMemoryException;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** The devices that TornadoVM finds, and whether a model fits one. */
final class Devices {

    /** Most states on the device at once, if memory allows. */
    private static final int MAX_SLOTS = 8;

    /** Share of a device's memory that is left to other programs. */
    private static final double RESERVE = 0.05;

    private static final String WAY_OUT = "Quantise the model (--format q8_0 or q4_0), or use --backend cpu";

    private Devices() {}

    static Optional<String> obstacle() {
        String reason = "it lists none";
        try {
            if (!all().isEmpty()) {
                return Optional.empty();
            }
        } catch (RuntimeException | LinkageError e) {
            reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
        }
        return Optional.of("TornadoVM finds no device (" + reason
                + "); install the vendor's OpenCL or CUDA driver: clinfo -l shows OpenCL devices");
    }

    /** All devices, TornadoVM's default first: models load on it. TornadoVM's own properties select it. */
    private static List<TornadoDevice> all() {
        TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
        List<TornadoDevice> devices = new ArrayList<>();
        for (int b = 0; b < runtime.getNumBackends(); b++) {
            devices.addAll(runtime.getBackend(b).getAllDevices());
        }
        TornadoDevice chosen = runtime.getDefaultDevice();
        if (devices.remove(chosen)) {
            devices.addFirst(chosen);
        }
        return devices;
    }

    static List<Device> list() {
        return all().stream().map(Devices::describe).toList();
    }

    private static Device describe(TornadoDevice device) {
        String name = device.getPhysicalDevice().getDeviceName().strip() + " (" + device.getTornadoVMBackend() + ", "
                + device.getPlatformName() + ")";
        boolean gpu = device.getDeviceType() == TornadoDeviceType.GPU
                || device.getDeviceType() == TornadoDeviceType.ACCELERATOR;
        return new Device(name, device.getMaxGlobalMemory(), device.getMaxAllocMemory(), gpu);
    }

    static GpuModel load(XlstmWeights modelWeights, LoadProgress progress) {
        TornadoDevice device = chosen();
        DeviceWeights weights = new DeviceWeights(modelWeights, progress);
        Needs needs = new Needs(
                weights.totalBytes(),
                weights.largestBytes(),
                GpuModel.activationBytes(weights),
                modelWeights.config().stateBytes());
        int slots = needs.slotsOn(describe(device));
        try {
            return new GpuModel(modelWeights, weights, device, slots);
        } catch (TornadoOutOfMemoryException e) { // its message blames TornadoVM's own limit, which GpuBackend lifts
            throw new DoesNotFitException("the model needs " + needs.bytes() + " bytes of device memory; "
                    + device.getPhysicalDevice().getDeviceName().strip()
                    + " has them but did not allocate them, perhaps because other programs use them. " + WAY_OUT);
        }
    }

    /**
     * Device memory that a model needs, in bytes.
     *
     * @param weights all arrays of weights
     * @param largest the largest of them
     * @param activations of a pass, with logits
     * @param state one state
     */
    record Needs(long weights, long largest, long activations, long state) {

        /** The minimum: one state in a slot, and one being copied. */
        long bytes() {
            return weights + activations + 2 * state;
        }

        /**
         * The number of states that fit beside the weights.
         *
         * @throws DoesNotFitException if none fits, or an array is larger than the device's largest buffer
         */
        int slotsOn(Device device) {
            long buffer = Math.max(largest, state);
            if (buffer > device.largestBufferBytes()) {
                throw new DoesNotFitException("the model's largest " + (largest > state ? "matrix" : "state") + " has "
                        + buffer + " bytes, but " + device.name() + " allocates at most " + device.largestBufferBytes()
                        + " bytes in one buffer. " + WAY_OUT);
            }
            long usable = (long) (device.memoryBytes() * (1 - RESERVE));
            if (bytes() > usable) {
                throw new DoesNotFitException("the model needs " + bytes() + " bytes of device memory, but "
                        + device.name() + " has " + usable + " available of " + device.memoryBytes() + ". "
                        + WAY_OUT);
            }
            long free = usable - bytes() + state;
            long slots = Math.min(free, device.largestBufferBytes()) / state;
            long countable = Integer.MAX_VALUE / (state / Float.BYTES); // an array's index is an int
            return (int) Math.min(MAX_SLOTS, Math.min(slots, countable));
        }
    }

    /** The device that models load on. */
    static TornadoDevice chosen() {
        return all().getFirst();
    }

    /**
     * Whether the device can record a task graph and launch it as a whole: TornadoVM's CUDA and PTX backends record the
     * transfers and launches of the first execution.
     */
    static boolean hasGraphs(TornadoDevice device) {
        return device.getTornadoVMBackend() == TornadoVMBackendType.CUDA
                || device.getTornadoVMBackend() == TornadoVMBackendType.PTX;
    }

    /**
     * Compiles a plan for a device with strict arithmetic: these kernels are memory-bound, so OpenCL's fast-math gains
     * nothing. A CPU's OpenCL may lack half-precision arithmetic but have the type under its C name.
     */
    static void configure(TornadoExecutionPlan plan, TornadoDevice device) {
        plan.withDevice(device);
        if (device.getTornadoVMBackend() == TornadoVMBackendType.OPENCL) {
            boolean cpu = device.getDeviceType() == TornadoDeviceType.CPU;
            plan.withCompilerFlags(TornadoVMBackendType.OPENCL, cpu ? "-w -Dhalf=_Float16" : "-w -cl-mad-enable");
        }
    }
}
