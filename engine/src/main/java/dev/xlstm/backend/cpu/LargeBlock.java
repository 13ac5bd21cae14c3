package dev.xlstm.backend.cpu;

import dev.xlstm.cell.MlstmCell;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.tensor.Activation;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;
import java.util.List;

/** A block of xLSTM large: an mLSTM layer at the width of the residual stream, then a feed-forward layer. */
final class LargeBlock implements Block {

    /** Activations that all blocks of this shape share: one block computes at a time. */
    static final class Buffers {

        final MlstmHeads heads;
        final Activations o; // pre-activation of the output gate [rows, VD]
        final Activations gate; // [rows, U]
        final Activations up; // [rows, U]

        Buffers(BlockConfig.Large shape, Workspace work) {
            int dqk = shape.qkHeadSize();
            float scale = (float) (1 / Math.sqrt(dqk));
            int chunkSize = work.config.chunkSize();
            heads = new MlstmHeads(
                    new MlstmCell.Shape(shape.numHeads(), dqk, shape.vHeadSize(), chunkSize, shape.eps(), scale), work);
            o = work.activations(shape.vSize());
            gate = work.activations(shape.ffnSize());
            up = work.activations(shape.ffnSize());
        }
    }

    private final BlockWeights.Large weights;
    private final BlockConfig.Large shape;
    private final BlockState state;
    private final Workspace work;
    private final MlstmHeads heads;
    private final Activations o;
    private final Projection qkvoif;
    private final Projection out;
    private final FeedForward feedForward;
    private final MlstmSteps steps;
    private final ThreadTeam.Task cellTask = this::cellOfHead;

    LargeBlock(BlockWeights.Large w, BlockConfig.Large shape, Buffers buffers, BlockState state, Workspace work) {
        weights = w;
        this.shape = shape;
        this.state = state;
        this.work = work;
        heads = buffers.heads;
        steps = new MlstmSteps(heads.shape, state, work.team);
        o = buffers.o;
        qkvoif = Projection.separate(
                work.y,
                List.of(w.q(), w.k(), w.v(), w.outputGate(), w.inputGate(), w.forgetGate()),
                List.of(heads.q, heads.k, heads.v, o, heads.i, heads.f),
                null,
                work.scratch);
        out = Projection.separate(heads.h, List.of(w.out()), List.of(work.delta), work::addDelta, work.scratch);
        feedForward = new FeedForward(w.feedForward(), Activation.SILU, buffers.gate, buffers.up, work);
    }

    @Override
    public void forward() {
        int rows = work.rows();
        work.norm(weights.normMlstm(), rows); // y [rows, H] = RMSNorm(x)
        qkvoif.run(work.team, rows); // q, k [rows, QK], v, o~ [rows, VD] = W y;  i~, f~ [rows, NH] = W y + b
        Elementwise.softCap(heads.i.data, 0, rows * shape.numHeads(), shape.gateSoftCap()); // i~ = cap(i~)
        Elementwise.softCap(heads.f.data, 0, rows * shape.numHeads(), shape.gateSoftCap()); // f~ = cap(f~)
        if (work.verifying) {
            steps.begin(rows);
        }
        work.team.run(heads.tasks(), cellTask); // h [rows, VD] = sigmoid(o~) * LayerNorm(mLSTM(q, k, v, i~, f~))
        out.run(work.team, rows); // x += W_out h
        feedForward.forward(); // x += W_down (silu(W_gate y) * (W_up y)) with y = RMSNorm(x)
    }

    @Override
    public void keep(CpuState of, int first, int rows) {
        steps.keep(of, first, rows);
    }

    private void cellOfHead(int task, int worker) {
        heads.run(task, worker, state, steps, weights.multiheadNorm());
        int chunk = heads.chunk(task);
        int head = heads.head(task) * shape.vHeadSize();
        for (int t = work.batch.start(chunk); t < work.batch.start(chunk + 1); t++) {
            int at = t * shape.vSize() + head;
            Elementwise.gateBySigmoid(heads.h.data, at, o.data, at, shape.vHeadSize());
        }
    }
}
