package dev.xlstm.backend.cpu;

import dev.xlstm.cell.CausalConv;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.tensor.BlockDiagonal;
import dev.xlstm.tensor.Elementwise;
import java.util.List;

/** An original mLSTM block: all between a projection up and one down. */
final class MlstmBlock implements Block {

    private static final float EPS = 1e-6f; // of the cell, fixed

    /** Features that a task of the convolution takes, about. */
    private static final int TASK_FEATURES = 256;

    /** Activations of one block at a time. */
    static final class Buffers {

        final MlstmHeads heads;
        final Activations xm; // what is remembered [rows, I]
        final Activations z; // what gates [rows, I]
        final Activations a; // xm after the convolution [rows, I]
        final Activations qkv; // what the gates of the cell see [rows, 3I]

        Buffers(BlockConfig.Mlstm shape, Pass pass) {
            // k is scaled before it comes to the cell
            heads = new MlstmHeads(shape.numHeads(), shape.headSize(), shape.headSize(), EPS, 1, pass);
            xm = pass.activations(shape.innerSize());
            z = pass.activations(shape.innerSize());
            a = pass.activations(shape.innerSize());
            qkv = pass.activations(3 * shape.innerSize());
        }
    }

    private final BlockWeights.Mlstm weights;
    private final Buffers buffers;
    private final MlstmHeads heads;
    private final Pass pass;
    private final long stateAt;
    private final long windowAt; // of the convolution's state
    private final int inner;
    private final int headSize;
    private final int taskFeatures; // whole blocks of q, k and v
    private final int tasks; // of a sequence
    private final CausalConv conv;
    private final BlockDiagonal q;
    private final BlockDiagonal k;
    private final BlockDiagonal v;
    private final Projection up;
    private final Projection gates;
    private final Projection down;
    private final ThreadTeam.Task convTask = this::convAndQkv;
    private final ThreadTeam.Task cellTask = this::cellOfHead;
    private final ThreadTeam.Task gateTask = this::gateRow;

    MlstmBlock(BlockWeights.Mlstm w, BlockConfig.Mlstm shape, Buffers buffers, Pass pass, long stateAt) {
        weights = w;
        this.buffers = buffers;
        heads = buffers.heads;
        this.pass = pass;
        this.stateAt = stateAt;
        inner = shape.innerSize();
        headSize = shape.headSize();
        windowAt = stateAt + 4L * shape.numHeads() * (headSize * (headSize + 1L) + 1); // after C, n and m
        int block = shape.qkvBlockSize();
        taskFeatures = (TASK_FEATURES + block - 1) / block * block;
        tasks = (inner + taskFeatures - 1) / taskFeatures;
        conv = new CausalConv(w.conv().taps(), w.conv().bias());
        q = new BlockDiagonal(w.q().matrix());
        k = new BlockDiagonal(w.k().matrix());
        v = new BlockDiagonal(w.v().matrix());
        up = Projection.separate(pass.y, List.of(w.x(), w.z()), List.of(buffers.xm, buffers.z), null, pass.scratch);
        gates = Projection.separate(
                buffers.qkv, List.of(w.inputGate(), w.forgetGate()), List.of(heads.i, heads.f), null, pass.scratch);
        down = Projection.separate(buffers.z, List.of(w.down()), List.of(pass.delta), pass::addDelta, pass.scratch);
    }

    @Override
    public void forward() {
        int rows = pass.rows();
        pass.norm(weights.norm(), rows); // y = LayerNorm(x)
        up.run(pass.team, rows); // xm, z = W y
        pass.team.run(pass.batch.chunks() * tasks, convTask); // a = silu(conv(xm));  q, k = W a;  v = W xm
        gates.run(pass.team, rows); // i~, f~ = W [q; k; v]
        pass.team.run(heads.tasks(), cellTask); // h = LayerNorm(mLSTM(q, k/√dh, v, i~, f~))
        pass.team.run(pass.rows(), gateTask); // z = silu(z) * (h + skip * a)
        down.run(pass.team, rows); // x += W z
    }

    private void convAndQkv(int task, int worker) {
        int chunk = task / tasks;
        int from = task % tasks * taskFeatures;
        int to = Math.min(from + taskFeatures, inner);
        int first = pass.batch.start(chunk);
        int rows = pass.batch.start(chunk + 1) - first;
        float[] xm = buffers.xm.data;
        float[] a = buffers.a.data;
        int at = first * inner;
        conv.forward(pass.state(chunk).memory, windowAt, from, to, rows, xm, at, a, at + from, inner);
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
                heads.k.data[row + d] *= scale; // the gates have seen it as it was
            }
        }
    }

    private static void multiply(BlockDiagonal matrix, Linear linear, float[] x, int row, float[] y, int from, int to) {
        matrix.multiply(x, row, linear.bias(), y, row, from, to);
    }

    private void cellOfHead(int task, int worker) {
        heads.run(task, worker, stateAt, weights.headNorm());
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
