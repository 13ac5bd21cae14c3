package dev.xlstm.tornado;

import dev.xlstm.backend.TopLogits;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** Each kernel on random shapes and numbers against plain loops in double precision. */
class KernelTest {

    private static final double ULP = 0x1p-23;

    private final KernelContext context = new KernelContext();
    private final boolean emulated = emulated();

    /** Whether the kernels run in Java, instead of on the device. */
    boolean emulated() {
        return false;
    }

    static {
        assertThat(new GpuBackend().obstacle()).isEmpty(); // makes TornadoVM's settings, too
    }

    static Stream<Arguments> formatsAndEpilogues() {
        return IntStream.rangeClosed(DeviceMatrix.F32, DeviceMatrix.Q4_0)
                .boxed()
                .flatMap(f -> IntStream.rangeClosed(MatrixVector.STORE, MatrixVector.GATE)
                        .mapToObj(e -> Arguments.of(f, e)));
    }

    @ParameterizedTest(name = "format {0}, epilogue {1}")
    @MethodSource("formatsAndEpilogues")
    void matrixTimesVector(int format, int epilogue) throws Exception {
        product(format, epilogue, true, new Random(100 * format + epilogue));
    }

    @ParameterizedTest(name = "format {0}, epilogue {1}")
    @MethodSource("formatsAndEpilogues")
    void matrixTimesManyVectors(int format, int epilogue) throws Exception {
        product(format, epilogue, false, new Random(10 + 100 * format + epilogue));
    }

    private void product(int format, int epilogue, boolean vector, Random random) throws Exception {
        boolean blocks = format == DeviceMatrix.Q8_0 || format == DeviceMatrix.Q4_0;
        int rows = 2 + 2 * random.nextInt(90);
        int columns = blocks ? 32 * (1 + random.nextInt(8)) : 1 + random.nextInt(250);
        int maxSteps = vector ? 1 : 70;
        int steps = vector ? 1 : 1 + random.nextInt(69);
        boolean normed = epilogue != MatrixVector.ADD;
        int outputs = epilogue == MatrixVector.GATE ? rows / 2 : rows;
        int at = epilogue == MatrixVector.GATE ? 0 : random.nextInt(5);
        int width = outputs + at + (epilogue == MatrixVector.GATE ? 0 : 3);
        int capFrom = rows / 3;
        float cap = epilogue == MatrixVector.STORE ? 2.5f : 0f;
        float eps = 1e-6f;

        RandomMatrix w = new RandomMatrix(format, rows, columns, random);
        IntArray batch = new IntArray(1 + maxSteps);
        batch.set(0, steps);
        FloatArray x = gaussian(maxSteps * columns, random);
        FloatArray norm = gaussian(columns, random);
        FloatArray bias = gaussian(rows, random);
        FloatArray y = gaussian(maxSteps * width, random);
        FloatArray before = FloatArray.fromArray(y.toHeapArray());
        FloatArray factors = new FloatArray(maxSteps);

        int rowGroups = (rows + MatrixVector.ROWS - 1) / MatrixVector.ROWS;
        int tileGroups = (rows + MatrixProduct.ROWS - 1) / MatrixProduct.ROWS;
        int stepGroups = (maxSteps + MatrixProduct.STEPS - 1) / MatrixProduct.STEPS;
        int norms = normed ? 1 : 0;
        TaskGraph graph = new TaskGraph("g")
                .transferToDevice(
                        DataTransferMode.FIRST_EXECUTION,
                        batch,
                        x,
                        factors,
                        norm,
                        w.floats,
                        w.halves,
                        w.words,
                        bias,
                        y);
        GridScheduler grids = new GridScheduler();
        if (emulated && vector) {
            Emulation.run(
                    rowGroups,
                    1,
                    MatrixVector.GROUP,
                    c -> MatrixVector.multiply(
                            c, x, norm, w.floats, w.halves, w.words, bias, y, format, rows, columns, norms, eps,
                            epilogue, at, capFrom, cap));
        } else if (emulated) {
            Emulation.run(maxSteps, 1, Norms.GROUP, c -> Norms.rms(c, batch, x, factors, columns, eps));
            Emulation.run(
                    tileGroups,
                    stepGroups,
                    MatrixProduct.GROUP,
                    c -> MatrixProduct.multiply(
                            c, batch, x, factors, norm, w.floats, w.halves, w.words, bias, y, format, rows, columns,
                            norms, epilogue, width, at, capFrom, cap));
        } else if (vector) {
            graph.task(
                    "t",
                    MatrixVector::multiply,
                    context,
                    x,
                    norm,
                    w.floats,
                    w.halves,
                    w.words,
                    bias,
                    y,
                    format,
                    rows,
                    columns,
                    norms,
                    eps,
                    epilogue,
                    at,
                    capFrom,
                    cap);
            grid(grids, "g.t", rowGroups, 1, MatrixVector.GROUP);
        } else {
            graph.task("rms", Norms::rms, context, batch, x, factors, columns, eps);
            grid(grids, "g.rms", maxSteps, 1, Norms.GROUP);
            graph.task(
                    "t",
                    MatrixProduct::multiply,
                    context,
                    batch,
                    x,
                    factors,
                    norm,
                    w.floats,
                    w.halves,
                    w.words,
                    bias,
                    y,
                    format,
                    rows,
                    columns,
                    norms,
                    epilogue,
                    width,
                    at,
                    capFrom,
                    cap);
            grid(grids, "g.t", tileGroups, stepGroups, MatrixProduct.GROUP);
        }
        if (!emulated) {
            run(graph, grids, y);
        }

        float[] expected = before.toHeapArray();
        for (int t = 0; t < steps; t++) {
            double squares = 0;
            for (int c = 0; c < columns; c++) {
                squares += (double) x.get(t * columns + c) * x.get(t * columns + c);
            }
            double factor = normed ? 1 / Math.sqrt(squares / columns + eps) : 1;
            double[] z = new double[rows];
            double[] error = new double[rows]; // that sums of float32 in any order may have, and a bit for functions
            for (int r = 0; r < rows; r++) {
                double magnitude = 0;
                for (int c = 0; c < columns; c++) {
                    double term = w.values[r * columns + c] * x.get(t * columns + c) * (normed ? norm.get(c) : 1);
                    z[r] += term;
                    magnitude += Math.abs(term);
                }
                z[r] = z[r] * factor + bias.get(r);
                error[r] = (columns + 8) * ULP * (magnitude * factor + Math.abs(z[r]) + Math.abs(bias.get(r)));
            }
            for (int o = 0; o < outputs; o++) {
                int index = t * width + at + o;
                double want;
                double allowed;
                if (epilogue == MatrixVector.GATE) {
                    double sigmoid = 1 / (1 + Math.exp(-z[2 * o]));
                    want = z[2 * o] * sigmoid * z[2 * o + 1];
                    allowed = 1.1 * error[2 * o] * Math.abs(z[2 * o + 1])
                            + Math.abs(z[2 * o] * sigmoid) * error[2 * o + 1]
                            + 1e-6 * Math.abs(want)
                            + 1e-6;
                } else if (epilogue == MatrixVector.ADD) {
                    want = before.get(index) + z[o];
                    allowed = error[o] + ULP * Math.abs(want);
                } else {
                    want = o >= capFrom ? cap * Math.tanh(z[o] / cap) : z[o];
                    allowed = error[o] + 1e-6 * Math.abs(want);
                }
                assertThat((double) y.get(index)).as("step %d, output %d", t, o).isCloseTo(want, within(allowed));
                expected[index] = y.get(index);
            }
        }
        // An array that a kernel only writes is not sent to the device, so what it had is lost in any case. Rows beyond
        // the
        // last are free for all: PoCL 3.1 drops conditions of stores when it vectorises across work items.
        for (int i = 0; i < steps * width && epilogue == MatrixVector.ADD; i++) {
            assertThat(y.get(i))
                    .as("element %d of step %d, beside the output", i % width, i / width)
                    .isEqualTo(expected[i]);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 6})
    @DisplayName("cell, norm and gate of several sequences, and their states")
    void cellAndGate(int seed) throws Exception {
        Random random = new Random(seed);
        int layers = 1 + random.nextInt(3);
        int heads = 1 + random.nextInt(4);
        int dqk = 1 + random.nextInt(seed % 2 == 0 ? 20 : 300);
        int dv = 1 + random.nextInt(80);
        int layer = random.nextInt(layers);
        int slots = 4;
        int maxRows = 16;
        int perLayer = heads * (dqk * dv + dqk + 1);
        int width = 2 * heads * (dqk + dv + 1);
        int tiles = (dv + MlstmKernels.COLUMNS - 1) / MlstmKernels.COLUMNS;
        float eps = 1e-6f;

        int[] slotOfRow = {2, 2, 2, 2, 2, 0, 3, 3, 3, 3, 3, 3};
        IntArray batch = new IntArray(1 + maxRows);
        batch.set(0, slotOfRow.length);
        for (int t = 0; t < slotOfRow.length; t++) {
            batch.set(1 + t, slotOfRow[t]);
        }
        FloatArray y = gaussian(maxRows * width, random);
        for (int t = 0; t < slotOfRow.length; t++) {
            for (int g = 2 * heads * (dqk + dv); g < width; g++) {
                y.set(t * width + g, 6 * (float) random.nextGaussian()); // gates far from zero, too
            }
        }
        FloatArray states = gaussian(slots * layers * perLayer, random);
        FloatArray carry = new FloatArray(maxRows * heads * (dqk + 1));
        FloatArray h = new FloatArray(maxRows * heads * dv);
        FloatArray weight = gaussian(heads * dv, random);
        FloatArray bias = gaussian(heads * dv, random);
        int layerAt = layer * perLayer;
        IntArray offsets = IntArray.fromElements(
                layerAt, layerAt + heads * dqk * dv, layerAt + heads * (dqk * dv + dqk), layers * perLayer);
        double[] expectedStates = new double[states.getSize()];
        for (int i = 0; i < expectedStates.length; i++) {
            expectedStates[i] = states.get(i);
        }

        TaskGraph graph = new TaskGraph("g")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, batch, y, states, offsets, carry, h, weight, bias)
                .task(
                        "cell",
                        MlstmKernels::cell,
                        context,
                        batch,
                        y,
                        states,
                        offsets,
                        carry,
                        h,
                        heads,
                        dqk,
                        dv,
                        tiles,
                        eps)
                .task(
                        "gate",
                        MlstmKernels::gate,
                        context,
                        batch,
                        y,
                        h,
                        weight,
                        bias,
                        states,
                        offsets,
                        carry,
                        heads,
                        dqk,
                        dv,
                        eps);
        GridScheduler grids = new GridScheduler();
        grid(grids, "g.cell", heads * tiles, 1, MlstmKernels.CELL_GROUP);
        grid(grids, "g.gate", maxRows * heads, 1, MlstmKernels.GATE_GROUP);
        if (emulated) {
            Emulation.run(
                    heads * tiles,
                    1,
                    MlstmKernels.CELL_GROUP,
                    c -> MlstmKernels.cell(c, batch, y, states, offsets, carry, h, heads, dqk, dv, tiles, eps));
            Emulation.run(
                    maxRows * heads,
                    1,
                    MlstmKernels.GATE_GROUP,
                    c -> MlstmKernels.gate(c, batch, y, h, weight, bias, states, offsets, carry, heads, dqk, dv, eps));
        } else {
            run(graph, grids, h, states);
        }

        for (int t = 0; t < slotOfRow.length; t++) {
            int base = (slotOfRow[t] * layers + layer) * perLayer;
            for (int head = 0; head < heads; head++) {
                double[] want = step(expectedStates, base, y, t * width, heads, head, dqk, dv, eps);
                double mean = Arrays.stream(want).average().getAsDouble();
                double variance = Arrays.stream(want)
                        .map(v -> (v - mean) * (v - mean))
                        .average()
                        .getAsDouble();
                double spread = Arrays.stream(want).map(Math::abs).max().getAsDouble() / Math.sqrt(variance + eps);
                for (int c = 0; c < dv; c++) {
                    double o = y.get(t * width + heads * (2 * dqk + dv) + head * dv + c);
                    double gate = 1 / (1 + Math.exp(-o));
                    double normed = (want[c] - mean) / Math.sqrt(variance + eps) * weight.get(head * dv + c);
                    double value = gate * (normed + bias.get(head * dv + c));
                    // the read-out's sum over dqk may cancel: 1e-4 of the head's largest element
                    assertThat((double) h.get((t * heads + head) * dv + c))
                            .as("row %d, head %d, element %d", t, head, c)
                            .isCloseTo(value, within(1e-4 * (1 + spread) * (1 + Math.abs(weight.get(head * dv + c)))));
                }
            }
        }
        for (int i = 0; i < expectedStates.length; i++) {
            assertThat((double) states.get(i))
                    .as("state %d", i)
                    .isCloseTo(expectedStates[i], within(1e-5 * (1 + Math.abs(expectedStates[i]))));
        }
    }

    /** The recurrent step of one head, in double precision, straight from its formulas. */
    private static double[] step(
            double[] states, int base, FloatArray y, int row, int heads, int head, int dqk, int dv, double eps) {
        int cAt = base + head * dqk * dv;
        int nAt = base + heads * dqk * dv + head * dqk;
        int mAt = base + heads * (dqk * dv + dqk) + head;
        double i = y.get(row + 2 * heads * (dqk + dv) + head);
        double f = y.get(row + 2 * heads * (dqk + dv) + heads + head);
        double logForget = -Math.log1p(Math.exp(-f));
        double m = Math.max(logForget + states[mAt], i);
        double forget = Math.exp(logForget + states[mAt] - m);
        double input = Math.exp(i - m);
        states[mAt] = m;
        double[] h = new double[dv];
        double normalizer = 0;
        for (int r = 0; r < dqk; r++) {
            double q = y.get(row + head * dqk + r) / Math.sqrt(dqk);
            double k = y.get(row + heads * dqk + head * dqk + r);
            states[nAt + r] = forget * states[nAt + r] + input * k;
            normalizer += states[nAt + r] * q;
            for (int c = 0; c < dv; c++) {
                double v = y.get(row + 2 * heads * dqk + head * dv + c);
                states[cAt + r * dv + c] = forget * states[cAt + r * dv + c] + input * k * v;
                h[c] += states[cAt + r * dv + c] * q;
            }
        }
        double divisor = Math.max(Math.abs(normalizer), Math.exp(-m)) + eps;
        return Arrays.stream(h).map(value -> value / divisor).toArray();
    }

    @Test
    void logSigmoidIsAccurateAtBothEnds() {
        for (float z = -30; z <= 30; z += 0.37f) {
            double want = z < 0 ? z - Math.log1p(Math.exp(z)) : -Math.log1p(Math.exp(-z));
            assertThat((double) MlstmKernels.logSigmoid(z)).isCloseTo(want, within(4 * ULP * Math.abs(want)));
        }
    }

    @Test
    void pickedRowsAreCopies() throws Exception {
        IntArray batch = IntArray.fromElements(3, 5, 0, 5, 1);
        FloatArray x = gaussian(6 * 100, new Random(1));
        FloatArray picked = new FloatArray(4 * 100);
        TaskGraph graph = new TaskGraph("g")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, batch, x, picked)
                .task("t", Norms::pick, context, batch, x, picked, 100);
        GridScheduler grids = new GridScheduler();
        grid(grids, "g.t", 4, 1, Norms.GROUP);
        if (emulated) {
            Emulation.run(4, 1, Norms.GROUP, c -> Norms.pick(c, batch, x, picked, 100));
        } else {
            run(graph, grids, picked);
        }
        float[] all = x.toHeapArray();
        float[] out = picked.toHeapArray();
        assertThat(Arrays.copyOfRange(out, 0, 100)).isEqualTo(Arrays.copyOfRange(all, 500, 600));
        assertThat(Arrays.copyOfRange(out, 100, 200)).isEqualTo(Arrays.copyOfRange(all, 0, 100));
        assertThat(Arrays.copyOfRange(out, 200, 300)).isEqualTo(Arrays.copyOfRange(all, 500, 600));
    }

    @ParameterizedTest(name = "vocabulary of {0}")
    @ValueSource(ints = {1, 70, 1023, 1024, 1025, 5000, 50304})
    @DisplayName("the largest logits, in order, however many are equal")
    void largestLogits(int vocab) throws Exception {
        Random random = new Random(vocab);
        FloatArray logits = new FloatArray(vocab);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < vocab; i++) {
                logits.set(i, round == 0 ? (float) random.nextGaussian() : random.nextInt(300) - 150);
            }
            if (round == 2) {
                logits.set(random.nextInt(vocab), -Float.MAX_VALUE);
            }
            TopLogits top = new TopLogits(Math.min(vocab, round == 1 ? 1 : LargestLogits.MOST));
            largest(logits, top);
            int[] expected = IntStream.range(0, vocab)
                    .boxed()
                    .sorted(Comparator.comparing((Integer id) -> -logits.get(id)))
                    .limit(top.size())
                    .mapToInt(id -> id)
                    .toArray();
            assertThat(top.ids()).isEqualTo(expected);
            for (int rank = 0; rank < top.size(); rank++) {
                assertThat(top.logits()[rank]).isEqualTo(logits.get(expected[rank]));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void aLogitThatIsNotFiniteComesFirst(float bad) throws Exception {
        FloatArray logits = gaussian(3000, new Random(3));
        logits.set(7, Float.MAX_VALUE);
        logits.set(2047, bad);
        TopLogits top = new TopLogits(5);
        largest(logits, top);
        assertThat(top.logits()[0]).isNaN();
    }

    private void largest(FloatArray logits, TopLogits top) throws Exception {
        int vocab = logits.getSize();
        int slices = LargestLogits.slices(vocab);
        FloatArray sorted = new FloatArray(LargestLogits.size(vocab, LargestLogits.MOST));
        TaskGraph graph = new TaskGraph("g")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, logits, sorted)
                .task("t", LargestLogits::sort, context, logits, sorted, vocab, slices);
        GridScheduler grids = new GridScheduler();
        grid(grids, "g.t", slices, 1, LargestLogits.GROUP);
        if (emulated) {
            Emulation.run(slices, 1, LargestLogits.GROUP, c -> LargestLogits.sort(c, logits, sorted, vocab, slices));
        } else {
            run(graph, grids, sorted);
        }
        LargestLogits.merge(sorted, new int[slices], top);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3})
    @DisplayName("a state enters its slot, and leaves it, without touching the others")
    void statesEnterAndLeave(int seed) throws Exception {
        Random random = new Random(seed);
        int slots = 1 + random.nextInt(5);
        int size = 1 + random.nextInt(1000);
        int slot = random.nextInt(slots);
        IntArray slotNumber = IntArray.fromElements(slot);
        FloatArray states = gaussian(slots * size, random);
        FloatArray staging = gaussian(size, random);
        FloatArray left = new FloatArray(size);
        float[] expected = states.toHeapArray();
        System.arraycopy(staging.toHeapArray(), 0, expected, slot * size, size);
        TaskGraph graph = new TaskGraph("g")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, slotNumber, states, staging, left)
                .task("in", MlstmKernels::enter, context, slotNumber, staging, states, size)
                .task("out", MlstmKernels::leave, context, slotNumber, states, left, size);
        GridScheduler grids = new GridScheduler();
        grid(grids, "g.in", (size + 255) / 256, 1, 256);
        grid(grids, "g.out", (size + 255) / 256, 1, 256);
        if (emulated) {
            Emulation.run((size + 255) / 256, 1, 256, c -> MlstmKernels.enter(c, slotNumber, staging, states, size));
            Emulation.run((size + 255) / 256, 1, 256, c -> MlstmKernels.leave(c, slotNumber, states, left, size));
        } else {
            run(graph, grids, states, left);
        }
        assertThat(states.toHeapArray()).isEqualTo(expected);
        assertThat(left.toHeapArray()).isEqualTo(staging.toHeapArray());
    }

    private static FloatArray gaussian(int size, Random random) {
        FloatArray array = new FloatArray(size);
        for (int i = 0; i < size; i++) {
            array.set(i, (float) random.nextGaussian());
        }
        return array;
    }

    private static void grid(GridScheduler grids, String task, int groupsX, int groupsY, int group) {
        WorkerGrid grid = new WorkerGrid2D(groupsX * group, groupsY);
        grid.setLocalWork(group, 1, 1);
        grids.addWorkerGrid(task, grid);
    }

    private static void run(TaskGraph graph, GridScheduler grids, Object... outputs) throws Exception {
        graph.transferToHost(DataTransferMode.EVERY_EXECUTION, outputs);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            Devices.configure(plan, Devices.chosen());
            plan.withGridScheduler(grids);
            plan.execute();
        }
    }
}
