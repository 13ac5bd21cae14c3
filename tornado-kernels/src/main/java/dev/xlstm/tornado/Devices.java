package dev.xlstm.tornado;

import dev.xlstm.backend.Device;
import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.backend.LoadProgress;
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

/** The devices TornadoVM finds, and what they can hold. */
final class Devices {

    /** States kept on the device at once, where memory allows. */
    private static final int MAX_SLOTS = 8;

    /** Of a device's memory, what the rest of the system may use. */
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

    /** First the one models are loaded on: TornadoVM's default, which its own properties choose. */
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
        } catch (TornadoOutOfMemoryException e) { // its hint is at a limit of TornadoVM's own, which is lifted
            throw new DoesNotFitException("the model needs " + needs.bytes() + " bytes of device memory, which "
                    + device.getPhysicalDevice().getDeviceName().strip()
                    + " has, but could not give: other programs may use it. " + WAY_OUT);
        }
    }

    /**
     * What a model takes of a device, in bytes.
     *
     * @param weights all of them
     * @param largest array of them
     * @param activations of a pass, with its logits
     * @param state of a sequence
     */
    record Needs(long weights, long largest, long activations, long state) {

        /** With one state, and room to move another. */
        long bytes() {
            return weights + activations + 2 * state;
        }

        /**
         * How many states fit beside the weights.
         *
         * @throws DoesNotFitException if not one does, or an array is larger than the device's largest buffer
         */
        int slotsOn(Device device) {
            long buffer = Math.max(largest, state);
            if (buffer > device.largestBufferBytes()) {
                throw new DoesNotFitException("the model's largest " + (largest > state ? "matrix" : "memory") + " has "
                        + buffer + " bytes, but " + device.name() + " takes at most " + device.largestBufferBytes()
                        + " in one buffer, whatever its memory. " + WAY_OUT);
            }
            long usable = (long) (device.memoryBytes() * (1 - RESERVE));
            if (bytes() > usable) {
                throw new DoesNotFitException("the model needs " + bytes() + " bytes of device memory, but "
                        + device.name() + " has " + usable + " to spare of its " + device.memoryBytes() + ". "
                        + WAY_OUT);
            }
            long free = usable - bytes() + state;
            long slots = Math.min(free, device.largestBufferBytes()) / state;
            long countable = Integer.MAX_VALUE / (state / Float.BYTES); // an array's index is an int
            return (int) Math.min(MAX_SLOTS, Math.min(slots, countable));
        }
    }

    /** The device models are loaded on. */
    static TornadoDevice chosen() {
        return all().getFirst();
    }

    /**
     * Whether a task graph can be recorded on the device and started again as a whole: TornadoVM has its CUDA and PTX
     * backends record what is sent, launched and fetched in the first execution.
     */
    static boolean hasGraphs(TornadoDevice device) {
        return device.getTornadoVMBackend() == TornadoVMBackendType.CUDA
                || device.getTornadoVMBackend() == TornadoVMBackendType.PTX;
    }

    /**
     * Has a plan compiled for a device, with strict arithmetic: where memory is the limit, OpenCL's fast-math saves
     * nothing. A CPU's OpenCL may lack half-precision arithmetic and still have the type, under its C name.
     */
    static void configure(TornadoExecutionPlan plan, TornadoDevice device) {
        plan.withDevice(device);
        if (device.getTornadoVMBackend() == TornadoVMBackendType.OPENCL) {
            boolean cpu = device.getDeviceType() == TornadoDeviceType.CPU;
            plan.withCompilerFlags(TornadoVMBackendType.OPENCL, cpu ? "-w -Dhalf=_Float16" : "-w -cl-mad-enable");
        }
    }
}
