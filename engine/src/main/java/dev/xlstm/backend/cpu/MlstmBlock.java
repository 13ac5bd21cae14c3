package dev.xlstm.backend.cpu;

import dev.xlstm.cell.CausalConv;
import dev.xlstm.cell.MlstmCell;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.BlockDiagonal;
import dev.xlstm.tensor.Elementwise;
import java.util.List;

/** An original mLSTM block: a convolution and an mLSTM between an up-projection and a down-projection. */
final class MlstmBlock implements Block {

    private static final float EPS = 1e-6f; // of the cell; the reference code fixes it

    /** Features in a task of the convolution, about. */
    private static final int TASK_FEATURES = 256;

    /** Activations that all blocks of this shape share: one block computes at a time. */
    static final class Buffers {

        final MlstmHeads heads;
        final Activations xm; // branch that enters the cell [rows, I]
        final Activations z; // branch that gates the output [rows, I]
        final Activations a; // xm after the convolution [rows, I]
        final Activations qkv; // q, k and v side by side, input of the gates [rows, 3I]

        Buffers(BlockConfig.Mlstm shape, Workspace work) {
            int headSize = shape.headSize();
            int chunkSize = work.config.chunkSize();
            // these blocks scale k before the cell, so q is not scaled in it
            heads = new MlstmHeads(new MlstmCell.Shape(shape.numHeads(), headSize, headSize, chunkSize, EPS, 1), work);
            xm = work.activations(shape.innerSize());
            z = work.activations(shape.innerSize());
            a = work.activations(shape.innerSize());
            qkv = work.activations(3 * shape.innerSize());
        }
    }

    private final BlockWeights.Mlstm weights;
    private final Buffers buffers;
    private final MlstmHeads heads;
    private final BlockState state;
    private final Workspace work;
    private final int inner; // I
    private final int headSize; // DH
    private final int taskFeatures; // a multiple of the block size of q, k and v
    private final int tasks; // per sequence
    private final CausalConv conv;
    private final MlstmSteps steps;
    private final Activations savedXm; // of the last verifying pass [rows, I]
    private final CausalConv savedConv; // reads savedXm
    private final BlockDiagonal q;
    private final BlockDiagonal k;
    private final BlockDiagonal v;
    private final Projection up;
    private final Projection gates;
    private final Projection down;
    private final ThreadTeam.Task convTask = this::convAndQkv;
    private final ThreadTeam.Task cellTask = this::cellOfHead;
    private final ThreadTeam.Task gateTask = this::gateRow;

    MlstmBlock(BlockWeights.Mlstm w, BlockConfig.Mlstm shape, Buffers buffers, BlockState state, Workspace work) {
        weights = w;
        this.buffers = buffers;
        heads = buffers.heads;
        this.state = state;
        this.work = work;
        inner = shape.innerSize();
        headSize = shape.headSize();
        int block = shape.qkvBlockSize();
        taskFeatures = (TASK_FEATURES + block - 1) / block * block;
        tasks = (inner + taskFeatures - 1) / taskFeatures;
        conv = new CausalConv(w.conv().taps(), w.conv().bias(), buffers.xm, buffers.a);
        steps = new MlstmSteps(heads.shape, state, work.team);
        savedXm = new Activations(inner);
        savedConv = new CausalConv(w.conv().taps(), w.conv().bias(), savedXm, null);
        q = new BlockDiagonal(w.q().matrix());
        k = new BlockDiagonal(w.k().matrix());
        v = new BlockDiagonal(w.v().matrix());
        up = Projection.separate(work.y, List.of(w.x(), w.z()), List.of(buffers.xm, buffers.z), null, work.scratch);
        gates = Projection.separate(
                buffers.qkv, List.of(w.inputGate(), w.forgetGate()), List.of(heads.i, heads.f), null, work.scratch);
        down = Projection.separate(buffers.z, List.of(w.down()), List.of(work.delta), work::addDelta, work.scratch);
    }

    @Override
    public void forward() {
        int rows = work.rows();
        work.norm(weights.norm(), rows); // y [rows, E] = LayerNorm(x)
        up.run(work.team, rows); // xm, z [rows, I] = W y
        if (work.verifying) {
            steps.begin(rows);
            savedXm.ensureRows(rows);
            System.arraycopy(buffers.xm.data, 0, savedXm.data, 0, rows * inner);
        }
        work.team.run(work.batch.chunks() * tasks, convTask); // a = silu(conv(xm));  q, k = W a;  v = W xm  [rows, I]
        gates.run(work.team, rows); // i~, f~ [rows, NH] = W [q; k; v] + b
        work.team.run(heads.tasks(), cellTask); // h [rows, I] = LayerNorm(mLSTM(q, k/√dh, v, i~, f~))
        work.team.run(rows, gateTask); // z = silu(z) * (h + skip * a)
        down.run(work.team, rows); // x += W z
    }

    @Override
    public void keep(CpuState of, int first, int rows) {
        savedConv.shift(state.window(of), 0, inner, first, rows);
        steps.keep(of, first, rows);
    }

    /** Some features of one sequence: the convolution, then q, k and v of the same features. */
    private void convAndQkv(int task, int worker) {
        int chunk = task / tasks;
        int from = task % tasks * taskFeatures;
        int to = Math.min(from + taskFeatures, inner);
        int first = work.batch.start(chunk);
        int rows = work.rows(chunk);
        float[] xm = buffers.xm.data;
        float[] a = buffers.a.data;
        conv.forward(state.window(work.state(chunk)), from, to, first, rows);
        if (!work.verifying) {
            conv.shift(state.window(work.state(chunk)), from, to, first, rows);
        }
        float scale = (float) (1 / Math.sqrt(headSize));
        for (int t = first; t < first + rows; t++) {
            int row = t * inner;
            multiply(q, weights.q(), a, row, heads.q.data, from, to);
            multiply(k, weights.k(), a, row, heads.k.data, from, to);
            multiply(v, weights.v(), xm, row, heads.v.data, from, to);
            int n = to - from;
            System.arraycopy(heads.q.data, row + from, buffers.qkv.data, 3 * row + from, n);
            System.arraycopy(heads.k.data, row + from, buffers.qkv.data, 3 * row + inner + from, n);
            System.arraycopy(heads.v.data, row + from, buffers.qkv.data, 3 * row + 2 * inner + from, n);
            for (int d = from; d < to; d++) {
                heads.k.data[row + d] *= scale; // after the copy: the gates read the unscaled k
            }
        }
    }

    private static void multiply(BlockDiagonal matrix, Linear linear, float[] x, int row, float[] y, int from, int to) {
        matrix.multiply(x, row, linear.bias(), y, row, from, to);
    }

    private void cellOfHead(int task, int worker) {
        heads.run(task, worker, state, steps, weights.headNorm());
    }

    private void gateRow(int row, int worker) {
        float[] h = heads.h.data;
        float[] a = buffers.a.data;
        float[] skip = weights.skip();
        int at = row * inner;
        for (int d = 0; d < inner; d++) {
            h[at + d] = Math.fma(skip[d], a[at + d], h[at + d]);
        }
        Elementwise.siluTimes(buffers.z.data, at, h, at, inner);
    }
}
