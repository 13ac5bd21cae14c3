package dev.xlstm.backend.cpu;

import dev.xlstm.cell.CausalConv;
import dev.xlstm.cell.SlstmCell;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/**
 * An original sLSTM block: gates from a short convolution, a recurrence in which every unit hears all units of its head,
 * then perhaps a feed-forward layer. The recurrence has no form that takes many steps at once.
 */
final class SlstmBlock implements Block {

    /** Units whose recurrent weights are read in one task where there is but one step. */
    private static final int TASK_UNITS = 64;

    /** y, c, n and m. */
    private static final int STATE_PARTS = 4;

    /** Activations of one block at a time. Those of the heads are apart, as their matrices are. */
    static final class Buffers {

        final Activations[] yOfHead; // the block's input [rows, D]
        final Activations[] a; // the same after the convolution [rows, D]
        final Activations[] i; // what the input contributes to the gates [rows, D]
        final Activations[] f;
        final Activations[] z;
        final Activations[] o;
        final Activations[] state; // y, c, n and m while a pass lasts, y as it was before [chunks, E]
        final Activations h; // of the cell [rows, E]
        final Activations gate; // of the feed-forward layer, null if there is none [rows, U]
        final Activations up; // [rows, U]
        final SlstmCell[] cells; // one a worker
        final Activations[] last; // of a worker: the last outputs of a head [1, D]
        final float[][] recurrent; // of a worker: what they contribute to the gates [NHs * 4 * D]

        Buffers(BlockConfig.Slstm shape, Pass pass) {
            yOfHead = perHead(shape, pass);
            a = shape.convKernel() == 0 ? yOfHead : perHead(shape, pass);
            i = perHead(shape, pass);
            f = perHead(shape, pass);
            z = perHead(shape, pass);
            o = perHead(shape, pass);
            state = new Activations[STATE_PARTS];
            Arrays.setAll(state, p -> pass.activations(shape.size()));
            h = pass.activations(shape.size());
            BlockConfig.FeedForward ffn = shape.feedForward();
            gate = ffn == null ? null : pass.activations(ffn.size());
            up = ffn == null ? null : pass.activations(ffn.size());
            cells = new SlstmCell[pass.team.threads()];
            Arrays.setAll(cells, w -> new SlstmCell(shape.headSize()));
            last = new Activations[pass.team.threads()];
            Arrays.setAll(last, w -> new Activations(shape.headSize()));
            recurrent = new float[pass.team.threads()][SlstmCell.GATES * shape.size()];
        }

        private static Activations[] perHead(BlockConfig.Slstm shape, Pass pass) {
            Activations[] heads = new Activations[shape.numHeads()];
            for (int h = 0; h < heads.length; h++) {
                heads[h] = pass.activations(shape.headSize());
            }
            return heads;
        }
    }

    private final BlockWeights.Slstm weights;
    private final Buffers buffers;
    private final Pass pass;
    private final long stateAt; // y, c, n, m [E], then the convolution's window
    private final int heads;
    private final int size; // E
    private final int headSize; // D
    private final int parts; // of a head, in tasks of one step
    private final CausalConv conv; // null if there is none
    private final Projection gates;
    private final FeedForward feedForward; // null if there is none
    private final ThreadTeam.Task loadTask = this::load;
    private final ThreadTeam.Task storeTask = this::store;
    private final ThreadTeam.Task convTask = this::convOfHead;
    private final ThreadTeam.Task cellTask = this::recur;
    private final ThreadTeam.Task normTask = this::normRow;

    SlstmBlock(BlockWeights.Slstm w, BlockConfig.Slstm shape, Buffers buffers, Pass pass, long stateAt) {
        weights = w;
        this.buffers = buffers;
        this.pass = pass;
        this.stateAt = stateAt;
        heads = shape.numHeads();
        size = shape.size();
        headSize = shape.headSize();
        parts = (headSize + TASK_UNITS - 1) / TASK_UNITS;
        for (Activations last : buffers.last) {
            last.ensureRows(1);
            last.packed.addConsumer(w.recurrent().matrix());
        }
        conv = w.conv() == null
                ? null
                : new CausalConv(w.conv().taps(), w.conv().bias());
        List<Activations> inputs = new ArrayList<>();
        List<Linear> linears = new ArrayList<>();
        List<Activations> outputs = new ArrayList<>();
        addGate(w.inputGate(), buffers.a, buffers.i, inputs, linears, outputs);
        addGate(w.forgetGate(), buffers.a, buffers.f, inputs, linears, outputs);
        addGate(w.cellInput(), buffers.yOfHead, buffers.z, inputs, linears, outputs);
        addGate(w.outputGate(), buffers.yOfHead, buffers.o, inputs, linears, outputs);
        gates = Projection.separate(inputs, linears, outputs, null, pass.scratch);
        feedForward = w.feedForward() == null
                ? null
                : new FeedForward(w.feedForward(), shape.feedForward().activation(), buffers.gate, buffers.up, pass);
    }

    private void addGate(
            Linear gate,
            Activations[] from,
            Activations[] to,
            List<Activations> inputs,
            List<Linear> linears,
            List<Activations> outputs) {
        for (int h = 0; h < heads; h++) {
            inputs.add(from[h]);
            linears.add(new Linear(gate.matrix().slice(h * headSize, (h + 1) * headSize), null));
            outputs.add(to[h]);
        }
    }

    @Override
    public void forward() {
        pass.norm(weights.norm(), pass.rows()); // y = LayerNorm(x)
        pass.team.run(pass.batch.chunks() * heads, convTask); // a = silu(conv(y))
        gates.run(pass.team, pass.rows()); // i~, f~ = W a;  z~, o~ = W y
        pass.team.run(pass.batch.chunks(), loadTask);
        pass.team.run(pass.batch.chunks() * heads * partsNow(), cellTask); // h = sLSTM(i~, f~, z~, o~)
        pass.team.run(pass.batch.chunks(), storeTask);
        pass.team.run(pass.rows(), normTask); // x += LayerNorm(h)
        if (feedForward != null) {
            feedForward.forward(); // x += W (activation(W y) * W y), y = LayerNorm(x)
        }
    }

    /** Splits y by heads, and the convolution of one head of one sequence. */
    private void convOfHead(int task, int worker) {
        int chunk = task / heads;
        int head = task % heads;
        int first = pass.batch.start(chunk);
        int rows = pass.batch.start(chunk + 1) - first;
        int from = head * headSize;
        for (int t = first; t < first + rows; t++) {
            System.arraycopy(pass.y.data, t * size + from, buffers.yOfHead[head].data, t * headSize, headSize);
        }
        if (conv != null) {
            MemorySegment memory = pass.state(chunk).memory;
            float[] a = buffers.a[head].data;
            conv.forward(
                    memory,
                    partAt(STATE_PARTS),
                    from,
                    from + headSize,
                    rows,
                    pass.y.data,
                    first * size,
                    a,
                    first * headSize,
                    headSize);
        }
    }

    /** The state of a sequence goes into arrays, as tasks that share a head write it while others still read y. */
    private void load(int chunk, int worker) {
        for (int p = 0; p < STATE_PARTS; p++) {
            float[] part = buffers.state[p].data;
            MemorySegment.copy(pass.state(chunk).memory, JAVA_FLOAT, partAt(p), part, chunk * size, size);
        }
    }

    /** And back, with the last h as y. */
    private void store(int chunk, int worker) {
        int lastRow = pass.batch.start(chunk + 1) - 1;
        System.arraycopy(buffers.h.data, lastRow * size, buffers.state[0].data, chunk * size, size);
        for (int p = 0; p < STATE_PARTS; p++) {
            float[] part = buffers.state[p].data;
            MemorySegment.copy(part, chunk * size, pass.state(chunk).memory, JAVA_FLOAT, partAt(p), size);
        }
    }

    private long partAt(int part) {
        return stateAt + 4L * part * size;
    }

    /** A head is one task where there are steps to go from one to the next, as the next needs all of the last. */
    private int partsNow() {
        return pass.rows() == pass.batch.chunks() ? parts : 1;
    }

    /** The recurrence of one head of one sequence, or of a part of its units where there is but one step. */
    private void recur(int task, int worker) {
        int chunks = pass.batch.chunks();
        int chunk = task % chunks; // sequences in turn, while a part's weights are in the cache
        int head = task / chunks / partsNow();
        int units = partsNow() == 1 ? headSize : TASK_UNITS;
        int from = task / chunks % partsNow() * units;
        int to = Math.min(from + units, headSize);
        int first = chunk * size + head * headSize; // of the head's units in the state
        Activations last = buffers.last[worker];
        float[] recurrent = buffers.recurrent[worker];
        float[] h = buffers.h.data;
        WeightMatrix r = weights.recurrent().matrix();
        int gatesAt = head * SlstmCell.GATES * headSize + from; // of the head's rows of r
        System.arraycopy(buffers.state[0].data, first, last.data, 0, headSize);
        for (int t = pass.batch.start(chunk); t < pass.batch.start(chunk + 1); t++) {
            last.packed.begin(last.data, 1);
            for (int g = 0; g < SlstmCell.GATES; g++) {
                int row = gatesAt + g * headSize;
                r.multiply(last.packed, recurrent, row, row + to - from, pass.scratch[worker]);
            }
            buffers.cells[worker].step(
                    buffers.state[1].data,
                    buffers.state[2].data,
                    buffers.state[3].data,
                    first + from,
                    buffers.i[head].data,
                    buffers.f[head].data,
                    buffers.z[head].data,
                    buffers.o[head].data,
                    t * headSize + from,
                    recurrent,
                    weights.recurrent().bias(),
                    gatesAt,
                    headSize,
                    h,
                    t * size + head * headSize + from,
                    to - from);
            System.arraycopy(h, t * size + head * headSize, last.data, 0, headSize);
        }
    }

    private void normRow(int row, int worker) {
        float[] h = buffers.h.data;
        int at = row * size;
        for (int head = 0; head < heads; head++) {
            int from = head * headSize;
            float[] weight = weights.headNorm().weight();
            Elementwise.layerNorm(
                    h, at + from, weight, null, from, headSize, pass.config.normEps(), pass.delta.data, at + from);
        }
        pass.addDelta(row, 0, size);
    }
}
