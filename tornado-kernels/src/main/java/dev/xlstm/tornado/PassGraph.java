package dev.xlstm.tornado;

import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Builds the task graph of a forward pass for at most {@link #maxRows} rows: one row uses the kernels of {@link MatrixVector},
 * more use {@link MatrixProduct}. The kernels of the cell are the same.
 */
final class PassGraph {

    private final DeviceWeights weights;
    private final DeviceWeights.Sizes sizes;
    private final GridScheduler grids;
    private final KernelContext context = new KernelContext();
    private int launches;

    final int maxRows;
    final TaskGraph graph;
    final IntArray batch; // number of rows; then the slot of each row's state, or the row to pick [1 + maxRows]
    final FloatArray x; // residual stream [maxRows, H]
    private final FloatArray factors; // 1 / rms of each row of x [maxRows]

    PassGraph(String name, int maxRows, DeviceWeights weights, GridScheduler grids) {
        this.maxRows = maxRows;
        this.weights = weights;
        this.grids = grids;
        sizes = weights.sizes;
        graph = new TaskGraph(name);
        batch = new IntArray(1 + maxRows);
        graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, batch);
        x = new FloatArray(maxRows * sizes.hidden());
        factors = scratch(maxRows);
    }

    private FloatArray scratch(int size) {
        FloatArray array = new FloatArray(size);
        graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, array);
        return array;
    }

    /** Sends x, the embeddings that the host has looked up, at each execution. */
    void embed() {
        graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, x);
    }

    /** {@code x[p] = from[batch[1 + p]]}: gathers the rows that need logits. */
    void pick(FloatArray from) {
        graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, x);
        graph.task("pick", Norms::pick, context, batch, from, x, sizes.hidden());
        launched("pick", maxRows, 1, Norms.GROUP);
    }

    /** {@code x += mLSTM(norm(x)); x += FFN(norm(x))} for every block. */
    void blocks(FloatArray states) {
        FloatArray y = scratch(maxRows * sizes.projected()); // q, k, v, o~, i~, f~
        FloatArray carry = scratch(maxRows * sizes.heads() * (sizes.dqk() + 1)); // n and m
        FloatArray h = scratch(maxRows * sizes.heads() * sizes.dv()); // of the cell
        FloatArray u = scratch(maxRows * sizes.ffn()); // silu(W_gate y) * (W_up y)
        for (int l = 0; l < weights.blocks.size(); l++) {
            DeviceWeights.Block block = weights.blocks.get(l);
            rms("norm1_" + l, block.normMlstm());
            int at = 0;
            int gates = 2 * sizes.heads() * (sizes.dqk() + sizes.dv()); // the rows before those of i and f
            for (int p = 0; p < block.qkvoif().size(); p++) {
                DeviceMatrix matrix = block.qkvoif().get(p);
                int capFrom = Math.max(0, gates - at);
                multiply(
                        "qkvoif" + p + "_" + l,
                        matrix,
                        x,
                        block.normMlstm(),
                        y,
                        MatrixVector.STORE,
                        sizes.projected(),
                        at,
                        capFrom,
                        sizes.gateSoftCap());
                at += matrix.rows;
            }
            cell(l, block, states, y, carry, h);
            multiply("out_" + l, block.out(), h, null, x, MatrixVector.ADD, sizes.hidden(), 0, 0, 0);
            rms("norm2_" + l, block.normFfn());
            multiply("upgate_" + l, block.upGate(), x, block.normFfn(), u, MatrixVector.GATE, sizes.ffn(), 0, 0, 0);
            multiply("down_" + l, block.down(), u, null, x, MatrixVector.ADD, sizes.hidden(), 0, 0, 0);
        }
    }

    /** {@code logits = cap(W norm(x))}. */
    void head(FloatArray logits) {
        rms("norm", weights.outNorm);
        multiply(
                "head",
                weights.head,
                x,
                weights.outNorm,
                logits,
                MatrixVector.STORE,
                weights.head.rows,
                0,
                0,
                sizes.logitCap());
    }

    /** Sorts the logits of one row for {@link LargestLogits}. */
    void rank(FloatArray logits, FloatArray sorted) {
        int slices = LargestLogits.slices(logits.getSize());
        graph.task("rank", LargestLogits::sort, context, logits, sorted, logits.getSize(), slices);
        launched("rank", slices, 1, LargestLogits.GROUP);
    }

    /** Computes {@link #factors} of many rows; {@link MatrixVector} computes the factor of its one row itself. */
    private void rms(String name, FloatArray norm) {
        if (maxRows > 1 && norm != null) {
            graph.task(name, Norms::rms, context, batch, x, factors, sizes.hidden(), sizes.normEps());
            launched(name, maxRows, 1, Norms.GROUP);
        }
    }

    private void cell(
            int l, DeviceWeights.Block block, FloatArray states, FloatArray y, FloatArray carry, FloatArray h) {
        int tiles = (sizes.dv() + MlstmKernels.COLUMNS - 1) / MlstmKernels.COLUMNS;
        graph.task(
                "cell_" + l,
                MlstmKernels::cell,
                context,
                batch,
                y,
                states,
                block.stateOffsets(),
                carry,
                h,
                sizes.heads(),
                sizes.dqk(),
                sizes.dv(),
                tiles,
                sizes.eps());
        launched("cell_" + l, sizes.heads() * tiles, 1, MlstmKernels.CELL_GROUP);
        graph.task(
                "gate_" + l,
                MlstmKernels::gate,
                context,
                batch,
                y,
                h,
                block.multiheadNorm(),
                block.multiheadBias(),
                states,
                block.stateOffsets(),
                carry,
                sizes.heads(),
                sizes.dqk(),
                sizes.dv(),
                sizes.normEps());
        launched("gate_" + l, maxRows * sizes.heads(), 1, MlstmKernels.GATE_GROUP);
    }

    /**
     * {@code output = epilogue(matrix · norm(input))}; the parameters are those of {@link MatrixProduct#multiply}, less what
     * this graph supplies.
     */
    private void multiply(
            String name,
            DeviceMatrix matrix,
            FloatArray input,
            FloatArray norm,
            FloatArray output,
            int epilogue,
            int width,
            int at,
            int capFrom,
            float cap) {
        FloatArray normOrNone = norm == null ? weights.none : norm;
        int normed = norm == null ? 0 : 1;
        if (maxRows == 1) {
            graph.task(
                    name,
                    MatrixVector::multiply,
                    context,
                    input,
                    normOrNone,
                    matrix.floats,
                    matrix.halves,
                    matrix.words,
                    matrix.bias,
                    output,
                    matrix.format,
                    matrix.rows,
                    matrix.columns,
                    normed,
                    sizes.normEps(),
                    epilogue,
                    at,
                    capFrom,
                    cap);
            launched(name, groups(matrix.rows, MatrixVector.ROWS), 1, MatrixVector.GROUP);
        } else {
            graph.task(
                    name,
                    MatrixProduct::multiply,
                    context,
                    batch,
                    input,
                    factors,
                    normOrNone,
                    matrix.floats,
                    matrix.halves,
                    matrix.words,
                    matrix.bias,
                    output,
                    matrix.format,
                    matrix.rows,
                    matrix.columns,
                    normed,
                    epilogue,
                    width,
                    at,
                    capFrom,
                    cap);
            launched(
                    name,
                    groups(matrix.rows, MatrixProduct.ROWS),
                    groups(maxRows, MatrixProduct.STEPS),
                    MatrixProduct.GROUP);
        }
    }

    private static int groups(int count, int perGroup) {
        return (count + perGroup - 1) / perGroup;
    }

    private void launched(String task, int groupsX, int groupsY, int group) {
        WorkerGrid grid = new WorkerGrid2D(groupsX * group, groupsY);
        grid.setLocalWork(group, 1, 1);
        grids.addWorkerGrid(graph.getTaskGraphName() + "." + task, grid);
        launches++;
    }

    /** Kernels that one execution launches. */
    int launches() {
        return launches;
    }
}
