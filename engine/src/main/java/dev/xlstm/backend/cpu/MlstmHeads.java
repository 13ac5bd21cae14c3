package dev.xlstm.backend.cpu;

import dev.xlstm.cell.MlstmCell;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;
import java.util.Arrays;

/** The mLSTM cells of all heads with their inputs and outputs; used by every block that contains an mLSTM. */
final class MlstmHeads {

    final Activations q; // [rows, NH, dqk]
    final Activations k; // [rows, NH, dqk]
    final Activations v; // [rows, NH, dv]
    final Activations i; // pre-activation of the input gate [rows, NH]
    final Activations f; // pre-activation of the forget gate [rows, NH]
    final Activations h; // [rows, NH, dv]

    final MlstmCell.Shape shape;
    private final int heads; // NH
    private final int dv;
    private final Workspace work;
    private final MlstmCell[] cells; // one per worker

    MlstmHeads(MlstmCell.Shape shape, Workspace work) {
        this.shape = shape;
        heads = shape.heads();
        dv = shape.dv();
        this.work = work;
        q = work.activations(heads * shape.dqk());
        k = work.activations(heads * shape.dqk());
        v = work.activations(heads * dv);
        i = work.activations(heads);
        f = work.activations(heads);
        h = work.activations(heads * dv);
        cells = new MlstmCell[work.team.threads()];
        Arrays.setAll(cells, worker -> new MlstmCell(shape, q, k, v, i, f, h));
    }

    /** Tasks of the current batch: one per head of each sequence. */
    int tasks() {
        return work.batch.chunks() * heads;
    }

    int chunk(int task) {
        return task / heads;
    }

    int head(int task) {
        return task % heads;
    }

    /**
     * {@code h = LayerNorm(mLSTM(q, k, v, i, f))} for one head of one sequence.
     *
     * @param steps of the block; saves the rows of a verifying pass
     */
    void run(int task, int worker, BlockState block, MlstmSteps steps, Norm norm) {
        int chunk = chunk(task);
        int head = head(task);
        int first = work.batch.start(chunk);
        int rows = work.rows(chunk);
        CpuState state = work.state(chunk);
        MlstmCell cell = cells[worker];
        if (work.verifying) {
            cell.peek(block.c(state), block.n(state), block.m(state), head, first, rows);
            steps.save(this, head, first, rows);
        } else if (rows == 1) {
            cell.step(block.c(state), block.n(state), block.m(state), head, first);
        } else {
            cell.chunkwise(block.c(state), block.n(state), block.m(state), head, first, rows);
        }
        for (int t = first; t < first + rows; t++) {
            int at = (t * heads + head) * dv;
            Elementwise.layerNorm(
                    h.data, at, norm.weight(), norm.bias(), head * dv, dv, work.config.normEps(), h.data, at);
        }
    }
}
