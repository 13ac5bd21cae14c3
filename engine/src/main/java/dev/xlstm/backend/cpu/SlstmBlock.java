package dev.xlstm.backend.cpu;

import dev.xlstm.cell.CausalConv;
import dev.xlstm.cell.SlstmCell;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/**
 * An original sLSTM block: gates from a short convolution, a recurrence in which every unit reads all units of its head,
 * then an optional feed-forward layer. The recurrence has no parallel form: it computes row after row.
 */
final class SlstmBlock implements Block {

    /** Units in a task of a step, if every sequence has one row. */
    private static final int TASK_UNITS = 64;

    /** Activations that all blocks of this shape share: one block computes at a time. Heads have a matrix each. */
    static final class Buffers {

        final Activations conv; // y after the convolution, null if there is none [rows, E]
        final Activations[] y; // input of the block, per head [rows, D]
        final Activations[] a; // the same after the convolution; y itself if there is none
        final SlstmCell.Gates gates; // what the input contributes, per head [rows, D]
        final Activations last; // the h that the next step reads [sequences, E]
        final SlstmCell.States states; // [sequences, E]
        final Activations h; // outputs of the cell [rows, E]
        final Activations gate; // of the feed-forward layer, null if there is none [rows, U]
        final Activations up; // [rows, U]
        final SlstmCell[] cells; // one per worker
        final Activations[] lastOfHead; // one per worker [1, D]
        final float[][] recurrent; // one per worker: what lastOfHead contributes to the gates [NHs, gate, D]

        Buffers(BlockConfig.Slstm shape, Workspace work) {
            conv = shape.convKernel() == 0 ? null : work.activations(shape.size());
            y = perHead(shape, work);
            a = conv == null ? y : perHead(shape, work);
            gates = new SlstmCell.Gates(
                    perHead(shape, work), perHead(shape, work), perHead(shape, work), perHead(shape, work));
            last = work.activations(shape.size());
            states = new SlstmCell.States(
                    work.activations(shape.size()), work.activations(shape.size()), work.activations(shape.size()));
            h = work.activations(shape.size());
            BlockConfig.FeedForward ffn = shape.feedForward();
            gate = ffn == null ? null : work.activations(ffn.size());
            up = ffn == null ? null : work.activations(ffn.size());
            cells = new SlstmCell[work.team.threads()];
            Arrays.setAll(cells, worker -> new SlstmCell(gates, states, h));
            lastOfHead = new Activations[work.team.threads()];
            Arrays.setAll(lastOfHead, worker -> new Activations(shape.headSize()));
            recurrent = new float[work.team.threads()][SlstmCell.GATES * shape.size()];
        }

        private static Activations[] perHead(BlockConfig.Slstm shape, Workspace work) {
            Activations[] heads = new Activations[shape.numHeads()];
            Arrays.setAll(heads, head -> work.activations(shape.headSize()));
            return heads;
        }
    }

    private final BlockWeights.Slstm weights;
    private final Buffers buffers;
    private final BlockState state;
    private final Workspace work;
    private final int heads; // NHs
    private final int size; // E
    private final int headSize; // D
    private final int parts; // tasks per head in a step of one row
    private final CausalConv conv; // null if there is none
    private final Activations savedY; // input of the last verifying pass [rows, E]
    private final CausalConv savedConv; // reads savedY; null if there is none
    private final Activations savedH; // the state after each of its rows [rows, E]
    private final Activations savedC; // [rows, E]
    private final Activations savedN; // [rows, E]
    private final Activations savedM; // [rows, E]
    private final Projection gates;
    private final FeedForward feedForward; // null if there is none
    private final ThreadTeam.Task loadTask = this::load;
    private final ThreadTeam.Task storeTask = this::store;
    private final ThreadTeam.Task convTask = this::convOfHead;
    private final ThreadTeam.Task cellTask = this::recur;
    private final ThreadTeam.Task normTask = this::normRow;

    SlstmBlock(BlockWeights.Slstm w, BlockConfig.Slstm shape, Buffers buffers, BlockState state, Workspace work) {
        weights = w;
        this.buffers = buffers;
        this.state = state;
        this.work = work;
        heads = shape.numHeads();
        size = shape.size();
        headSize = shape.headSize();
        parts = (headSize + TASK_UNITS - 1) / TASK_UNITS;
        for (Activations last : buffers.lastOfHead) {
            last.ensureRows(1);
            last.packed.addConsumer(w.recurrent().matrix());
        }
        conv = buffers.conv == null
                ? null
                : new CausalConv(w.conv().taps(), w.conv().bias(), work.y, buffers.conv);
        savedY = new Activations(size);
        savedConv =
                conv == null ? null : new CausalConv(w.conv().taps(), w.conv().bias(), savedY, null);
        savedH = new Activations(size);
        savedC = new Activations(size);
        savedN = new Activations(size);
        savedM = new Activations(size);
        List<Activations> inputs = new ArrayList<>();
        List<Linear> linears = new ArrayList<>();
        List<Activations> outputs = new ArrayList<>();
        for (int head = 0; head < heads; head++) {
            inputs.addAll(List.of(buffers.a[head], buffers.a[head], buffers.y[head], buffers.y[head]));
            for (Linear gate : List.of(w.inputGate(), w.forgetGate(), w.cellInput(), w.outputGate())) {
                linears.add(new Linear(gate.matrix().slice(head * headSize, (head + 1) * headSize), null));
            }
            SlstmCell.Gates to = buffers.gates;
            outputs.addAll(List.of(to.i()[head], to.f()[head], to.z()[head], to.o()[head]));
        }
        gates = Projection.separate(inputs, linears, outputs, null, work.scratch);
        feedForward = w.feedForward() == null
                ? null
                : new FeedForward(w.feedForward(), shape.feedForward().activation(), buffers.gate, buffers.up, work);
    }

    @Override
    public void forward() {
        int rows = work.rows();
        int chunks = work.batch.chunks();
        work.norm(weights.norm(), rows); // y [rows, E] = LayerNorm(x)
        if (work.verifying) {
            beginSaving(rows);
        }
        work.team.run(chunks * heads, convTask); // a [rows, E] = silu(conv(y))
        gates.run(work.team, rows); // i~, f~ = W a;  z~, o~ = W y  [rows, E]
        work.team.run(chunks, loadTask);
        work.team.run(chunks * heads * partsNow(), cellTask); // h [rows, E] = sLSTM(i~, f~, z~, o~)
        if (work.verifying) {
            System.arraycopy(buffers.h.data, 0, savedH.data, 0, rows * size);
        } else {
            work.team.run(chunks, storeTask);
        }
        work.team.run(rows, normTask); // x += LayerNorm(h)
        if (feedForward != null) {
            feedForward.forward(); // x += W_down (activation(W_gate y) * (W_up y)) with y = LayerNorm(x)
        }
    }

    private void beginSaving(int rows) {
        for (Activations saved : List.of(savedY, savedH, savedC, savedN, savedM)) {
            saved.ensureRows(rows);
        }
        System.arraycopy(work.y.data, 0, savedY.data, 0, rows * size);
    }

    /** The state after the last row that is kept was saved; the recurrence need not run again. */
    @Override
    public void keep(CpuState of, int first, int rows) {
        if (savedConv != null) {
            savedConv.shift(state.window(of), 0, size, first, rows);
        }
        int last = first + rows - 1;
        store(savedH, last, state.y(of));
        store(savedC, last, state.c(of));
        store(savedN, last, state.n(of));
        store(savedM, last, state.m(of));
    }

    /** One head of one sequence: the convolution, and y and a of the head apart. */
    private void convOfHead(int task, int worker) {
        int chunk = task / heads;
        int head = task % heads;
        int first = work.batch.start(chunk);
        int rows = work.rows(chunk);
        int from = head * headSize;
        if (conv != null) {
            conv.forward(state.window(work.state(chunk)), from, from + headSize, first, rows);
            if (!work.verifying) {
                conv.shift(state.window(work.state(chunk)), from, from + headSize, first, rows);
            }
        }
        for (int t = first; t < first + rows; t++) {
            System.arraycopy(work.y.data, t * size + from, buffers.y[head].data, t * headSize, headSize);
            if (conv != null) {
                System.arraycopy(buffers.conv.data, t * size + from, buffers.a[head].data, t * headSize, headSize);
            }
        }
    }

    /** Copies the state of a sequence into arrays: the tasks of one head read all of the old y while one writes the new. */
    private void load(int chunk, int worker) {
        CpuState from = work.state(chunk);
        load(state.y(from), buffers.last, chunk);
        load(state.c(from), buffers.states.c(), chunk);
        load(state.n(from), buffers.states.n(), chunk);
        load(state.m(from), buffers.states.m(), chunk);
    }

    private void load(MemorySegment part, Activations to, int chunk) {
        MemorySegment.copy(part, JAVA_FLOAT, 0, to.data, chunk * size, size);
    }

    /** Copies the arrays back, with the last h as y. */
    private void store(int chunk, int worker) {
        CpuState to = work.state(chunk);
        int lastRow = work.batch.start(chunk + 1) - 1;
        store(buffers.h, lastRow, state.y(to));
        store(buffers.states.c(), chunk, state.c(to));
        store(buffers.states.n(), chunk, state.n(to));
        store(buffers.states.m(), chunk, state.m(to));
    }

    private void store(Activations from, int row, MemorySegment part) {
        MemorySegment.copy(from.data, row * size, part, JAVA_FLOAT, 0, size);
    }

    /** Tasks per head: a head with several rows is one task, because each row needs all of the row before. */
    private int partsNow() {
        return work.rows() == work.batch.chunks() ? parts : 1;
    }

    /** The recurrence of one head of one sequence, or of some of its units if there is one row. */
    private void recur(int task, int worker) {
        int chunks = work.batch.chunks();
        int chunk = task % chunks; // sequences in turn, while the weights of a part are in the cache
        int head = task / chunks / partsNow();
        int units = partsNow() == 1 ? headSize : TASK_UNITS;
        int from = task / chunks % partsNow() * units;
        int to = Math.min(from + units, headSize);
        Activations last = buffers.lastOfHead[worker];
        float[] recurrent = buffers.recurrent[worker];
        float[] bias = weights.recurrent().bias();
        WeightMatrix r = weights.recurrent().matrix(); // [NHs, gate, D, D]
        int gatesAt = head * SlstmCell.GATES * headSize + from;
        System.arraycopy(buffers.last.data, chunk * size + head * headSize, last.data, 0, headSize);
        for (int t = work.batch.start(chunk); t < work.batch.start(chunk + 1); t++) {
            last.packed.begin(last.data, 1);
            for (int g = 0; g < SlstmCell.GATES; g++) {
                int row = gatesAt + g * headSize;
                r.multiply(last.packed, recurrent, row, row + to - from, work.scratch[worker]);
            }
            buffers.cells[worker].step(recurrent, bias, chunk, head, t, from, to);
            if (work.verifying) {
                int unit = head * headSize + from;
                SlstmCell.States states = buffers.states;
                System.arraycopy(states.c().data, chunk * size + unit, savedC.data, t * size + unit, to - from);
                System.arraycopy(states.n().data, chunk * size + unit, savedN.data, t * size + unit, to - from);
                System.arraycopy(states.m().data, chunk * size + unit, savedM.data, t * size + unit, to - from);
            }
            System.arraycopy(buffers.h.data, t * size + head * headSize, last.data, 0, headSize);
        }
    }

    private void normRow(int row, int worker) {
        float[] h = buffers.h.data;
        int at = row * size;
        for (int head = 0; head < heads; head++) {
            int from = head * headSize;
            float[] weight = weights.headNorm().weight();
            Elementwise.layerNorm(
                    h, at + from, weight, null, from, headSize, work.config.normEps(), work.delta.data, at + from);
        }
        work.addDelta(row, 0, size);
    }
}
