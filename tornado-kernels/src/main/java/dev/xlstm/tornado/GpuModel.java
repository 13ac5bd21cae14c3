package dev.xlstm.tornado;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.TopLogits;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A model on a device, as five task graphs that share weights and states there: a step of one row up to its logits, the
 * blocks for a chunk of rows, the head for the rows of a chunk that need logits, and the copies of a state to its slot and
 * back.
 */
final class GpuModel implements LoadedModel {

    /** Rows of the largest forward pass. */
    private static final int MAX_ROWS = 256;

    private static final int STEP = 0;
    private static final int CHUNK = 1;
    private static final int HEAD = 2;
    private static final int ENTER = 3;
    private static final int LEAVE = 4;
    private static final String[] NAMES = {"step", "chunk", "head", "enter", "leave"};

    /**
     * CUDA devices record the kernels of a step and launch them as one CUDA graph, unless this property is false. A step
     * allows it: all its buffers keep their addresses, and the host sends its input from the same array each time. Written
     * from TornadoVM's documentation and sources, and not yet run on a device.
     */
    private static final String CUDA_GRAPHS = "xlstm.gpu.graphs";

    private final String deviceName;
    private final XlstmConfig config;
    private final WeightMatrix embedding;
    private final StateSlots slots;
    private final FloatArray states; // [slots, floats of a state]
    private final FloatArray staging; // one state
    private final IntArray slotNumber = new IntArray(1);
    private final PassGraph step;
    private final PassGraph chunk;
    private final PassGraph head;
    private final FloatArray stepLogits; // [V]
    private final FloatArray sorted; // see LargestLogits
    private final int[] merging; // scratch of LargestLogits.merge
    private final FloatArray chunkLogits; // [MAX_ROWS, V]
    private final TornadoExecutionPlan plan;
    private final float[] row; // an embedding [H]
    private TornadoExecutionResult stepped; // the last execution of the step
    private float[] late; // the array that still has to receive the step's logits, or null

    /**
     * Uploads the weights and compiles all kernels.
     *
     * @param slotCount states the device holds at once
     */
    GpuModel(XlstmWeights modelWeights, DeviceWeights weights, TornadoDevice device, int slotCount) {
        deviceName = device.getPhysicalDevice().getDeviceName().strip();
        config = modelWeights.config();
        embedding = modelWeights.embedding();
        row = new float[config.hiddenSize()];
        int stateFloats = Math.toIntExact(config.stateBytes() / Float.BYTES);
        states = new FloatArray(Math.multiplyExact(slotCount, stateFloats));
        staging = new FloatArray(stateFloats);
        stepLogits = new FloatArray(config.vocabSize());
        sorted = new FloatArray(LargestLogits.size(config.vocabSize(), LargestLogits.MOST));
        merging = new int[LargestLogits.slices(config.vocabSize())];
        chunkLogits = new FloatArray(MAX_ROWS * config.vocabSize());

        GridScheduler grids = new GridScheduler();
        step = new PassGraph(NAMES[STEP], 1, weights, grids);
        step.embed();
        step.graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, weights.arrays());
        step.graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, states, stepLogits, sorted);
        step.blocks(states);
        step.head(stepLogits);
        step.rank(stepLogits, sorted);
        step.graph.transferToHost(DataTransferMode.UNDER_DEMAND, stepLogits, sorted);
        step.graph.persistOnDevice(weights.arrays());
        step.graph.persistOnDevice(states);

        chunk = new PassGraph(NAMES[CHUNK], MAX_ROWS, weights, grids);
        chunk.embed();
        chunk.graph.consumeFromDevice(NAMES[STEP], weights.arrays());
        consumeStates(chunk.graph, CHUNK);
        chunk.blocks(states);
        chunk.graph.persistOnDevice(chunk.x);

        head = new PassGraph(NAMES[HEAD], MAX_ROWS, weights, grids);
        head.graph.consumeFromDevice(NAMES[CHUNK], chunk.x);
        head.graph.consumeFromDevice(NAMES[CHUNK], weights.arrays());
        consumeStates(head.graph, HEAD);
        head.graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, chunkLogits);
        head.pick(chunk.x);
        head.head(chunkLogits);
        head.graph.transferToHost(DataTransferMode.UNDER_DEMAND, chunkLogits);

        TaskGraph enter = new TaskGraph(NAMES[ENTER]);
        consumeStates(enter, ENTER);
        enter.transferToDevice(DataTransferMode.EVERY_EXECUTION, slotNumber, staging);
        enter.task("copy", MlstmKernels::enter, new KernelContext(), slotNumber, staging, states, stateFloats);
        TaskGraph leave = new TaskGraph(NAMES[LEAVE]);
        consumeStates(leave, LEAVE);
        leave.transferToDevice(DataTransferMode.EVERY_EXECUTION, slotNumber);
        leave.task("copy", MlstmKernels::leave, new KernelContext(), slotNumber, states, staging, stateFloats);
        leave.transferToHost(DataTransferMode.EVERY_EXECUTION, staging);
        WorkerGrid everyFloat = new WorkerGrid1D((stateFloats + 255) / 256 * 256);
        everyFloat.setLocalWork(256, 1, 1);
        grids.addWorkerGrid(NAMES[ENTER] + ".copy", everyFloat);
        grids.addWorkerGrid(NAMES[LEAVE] + ".copy", everyFloat);

        plan = new TornadoExecutionPlan(
                step.graph.snapshot(),
                chunk.graph.snapshot(),
                head.graph.snapshot(),
                enter.snapshot(),
                leave.snapshot());
        Devices.configure(plan, device);
        plan.withGridScheduler(grids);
        if (Devices.hasGraphs(device) && Boolean.parseBoolean(System.getProperty(CUDA_GRAPHS, "true"))) {
            plan.withGraph(STEP).withCUDAGraph();
        }
        slots = new StateSlots(slotCount, config.stateBytes(), new StateSlots.Transfer() {
            @Override
            public void toDevice(int slot, MemorySegment source) {
                slotNumber.set(0, slot);
                if (source == null) {
                    staging.getSegment().fill((byte) 0);
                } else {
                    staging.getSegment().copyFrom(source);
                }
                execute(ENTER);
            }

            @Override
            public void fromDevice(int slot, MemorySegment target) {
                slotNumber.set(0, slot);
                execute(LEAVE);
                target.copyFrom(staging.getSegment());
            }
        });
        // the first executions must be in this order: each graph takes over the arrays of the one before
        step.batch.set(0, 1);
        for (int graph = STEP; graph <= LEAVE; graph++) {
            execute(graph);
        }
    }

    /** A graph takes shared arrays from the graph executed before it, by name. Any graph may have been, so name them all. */
    private void consumeStates(TaskGraph graph, int self) {
        for (int other = 0; other < NAMES.length; other++) {
            if (other != self) {
                graph.consumeFromDevice(NAMES[other], states);
            }
        }
    }

    private TornadoExecutionResult execute(int graph) {
        return plan.withGraph(graph).execute();
    }

    @Override
    public XlstmConfig config() {
        return config;
    }

    @Override
    public int maxRows() {
        return MAX_ROWS;
    }

    @Override
    public State newState() {
        return new GpuState(slots);
    }

    @Override
    public String device() {
        return "gpu, " + deviceName;
    }

    /** Bytes of everything but weights and states: approximately the rows of a chunk with their logits. */
    static long activationBytes(DeviceWeights weights) {
        DeviceWeights.Sizes s = weights.sizes;
        long floats =
                3L * s.hidden() + s.projected() + s.heads() * (s.dqk() + s.dv() + 1L) + s.ffn() + weights.head.rows;
        return (MAX_ROWS + 1) * floats * Float.BYTES;
    }

    /** Kernels launched to decode one id. */
    int launchesPerStep() {
        return step.launches();
    }

    @Override
    public void forward(Batch batch, float[] logits) {
        batch.check(MAX_ROWS, config.vocabSize(), logits);
        beforeWritingTo(logits);
        int logitRow = 0;
        for (int from = 0; from < batch.chunks(); from += slots.count()) {
            int to = Math.min(from + slots.count(), batch.chunks());
            int picked = compute(batch, from, to);
            if (picked > 0) {
                FloatArray source = batch.start(to) - batch.start(from) == 1 ? oneRow() : pickedRows(picked);
                copy(source, logits, logitRow, picked);
                logitRow += picked;
            }
        }
    }

    @Override
    public int maxTopLogits() {
        return config.vocabSize() <= LargestLogits.MAX_VOCAB ? LargestLogits.MOST : 0;
    }

    @Override
    public void forward(Batch batch, TopLogits top, float[] logits) {
        batch.check(1, config.vocabSize(), logits);
        beforeWritingTo(logits);
        compute(batch, 0, 1);
        stepped.transferToHost(new DataRange(sorted).withSize(LargestLogits.size(config.vocabSize(), top.size())));
        LargestLogits.merge(sorted, merging, top);
        late = logits;
    }

    @Override
    public void finishLogits() {
        if (late != null) {
            plan.withGraph(STEP); // the plan may have executed another graph since
            copy(oneRow(), late, 0, 1);
            late = null;
        }
    }

    private void beforeWritingTo(float[] logits) {
        if (logits == late) {
            late = null;
        }
        finishLogits();
    }

    /** Feeds the chunks {@code [from, to)}; returns the number of rows that need logits. */
    private int compute(Batch batch, int from, int to) {
        int first = batch.start(from);
        int rows = batch.start(to) - first;
        PassGraph pass = rows == 1 ? step : chunk;
        pass.batch.set(0, rows);
        int picked = 0;
        for (int c = from; c < to; c++) {
            int slot = slots.acquire(batch.state(c));
            for (int r = batch.start(c); r < batch.start(c + 1); r++) {
                pass.batch.set(1 + r - first, slot);
                embed(batch.id(r), pass.x, r - first);
                if (r >= batch.start(c + 1) - batch.logitRows(c)) {
                    head.batch.set(1 + picked++, r - first);
                }
            }
        }
        if (rows == 1) {
            stepped = execute(STEP);
        } else {
            execute(CHUNK);
        }
        return picked;
    }

    private FloatArray oneRow() {
        stepped.transferToHost(stepLogits);
        return stepLogits;
    }

    private FloatArray pickedRows(int count) {
        head.batch.set(0, count);
        execute(HEAD).transferToHost(new DataRange(chunkLogits).withSize(count * config.vocabSize()));
        return chunkLogits;
    }

    private void copy(FloatArray source, float[] logits, int row, int rows) {
        int vocab = config.vocabSize();
        MemorySegment.copy(source.getSegment(), ValueLayout.JAVA_FLOAT, 0, logits, row * vocab, rows * vocab);
    }

    private void embed(int id, FloatArray x, int r) {
        embedding.unpack(id, 0, row.length, row, 0);
        MemorySegment.copy(row, 0, x.getSegment(), ValueLayout.JAVA_FLOAT, 4L * r * row.length, row.length);
    }

    @Override
    public void close() {
        try {
            plan.close();
        } catch (TornadoExecutionPlanException e) {
            throw new IllegalStateException("cannot free the device's memory", e);
        }
    }
}
