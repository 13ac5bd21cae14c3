package dev.xlstm.backend.cpu;

import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.tensor.Activation;
import dev.xlstm.tensor.Elementwise;
import java.util.List;

/** A block of xLSTM large: an mLSTM on the width of the residual stream, then a feed-forward layer. */
final class LargeBlock implements Block {

    /** Activations of one block at a time. */
    static final class Buffers {

        final MlstmHeads heads;
        final Activations o; // output gate's pre-activation [rows, VD]
        final Activations gate; // [rows, U]
        final Activations up; // [rows, U]

        Buffers(BlockConfig.Large shape, Pass pass) {
            float scale = (float) (1 / Math.sqrt(shape.qkHeadSize()));
            heads = new MlstmHeads(shape.numHeads(), shape.qkHeadSize(), shape.vHeadSize(), shape.eps(), scale, pass);
            o = pass.activations(shape.vSize());
            gate = pass.activations(shape.ffnSize());
            up = pass.activations(shape.ffnSize());
        }
    }

    private final BlockWeights.Large weights;
    private final BlockConfig.Large shape;
    private final Pass pass;
    private final long stateAt;
    private final MlstmHeads heads;
    private final Activations o;
    private final Projection qkvoif;
    private final Projection out;
    private final FeedForward feedForward;
    private final ThreadTeam.Task cellTask = this::cellOfHead;

    LargeBlock(BlockWeights.Large w, BlockConfig.Large shape, Buffers buffers, Pass pass, long stateAt) {
        weights = w;
        this.shape = shape;
        this.pass = pass;
        this.stateAt = stateAt;
        heads = buffers.heads;
        o = buffers.o;
        qkvoif = Projection.separate(
                pass.y,
                List.of(w.q(), w.k(), w.v(), w.outputGate(), w.inputGate(), w.forgetGate()),
                List.of(heads.q, heads.k, heads.v, o, heads.i, heads.f),
                null,
                pass.scratch);
        out = Projection.separate(heads.h, List.of(w.out()), List.of(pass.delta), pass::addDelta, pass.scratch);
        feedForward = new FeedForward(w.feedForward(), Activation.SILU, buffers.gate, buffers.up, pass);
    }

    @Override
    public void forward() {
        int rows = pass.rows();
        pass.norm(weights.normMlstm(), rows); // y = RMSNorm(x)
        qkvoif.run(pass.team, rows); // q, k, v, o~, i~, f~ = W y
        Elementwise.softCap(heads.i.data, 0, rows * shape.numHeads(), shape.gateSoftCap());
        Elementwise.softCap(heads.f.data, 0, rows * shape.numHeads(), shape.gateSoftCap());
        pass.team.run(heads.tasks(), cellTask); // h = sigmoid(o~) * LayerNorm(mLSTM(q, k, v, i~, f~))
        out.run(pass.team, rows); // x += W h
        feedForward.forward(); // x += W (silu(W y) * W y), y = RMSNorm(x)
    }

    private void cellOfHead(int task, int worker) {
        heads.run(task, worker, stateAt, weights.multiheadNorm());
        int chunk = heads.chunk(task);
        int head = heads.head(task) * shape.vHeadSize();
        for (int t = pass.batch.start(chunk); t < pass.batch.start(chunk + 1); t++) {
            int at = t * shape.vSize() + head;
            Elementwise.gateBySigmoid(heads.h.data, at, o.data, at, shape.vHeadSize());
        }
    }
}
