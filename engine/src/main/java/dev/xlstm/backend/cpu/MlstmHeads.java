package dev.xlstm.backend.cpu;

import dev.xlstm.cell.MlstmCell;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.Elementwise;

/** The mLSTM cells of all heads with their inputs and outputs, for every block that has some. */
final class MlstmHeads {

    private final int heads;
    private final int dqk;
    private final int dv;
    private final Pass pass;
    private final MlstmCell[] cells; // one a worker

    final Activations q; // [rows, NH dqk]
    final Activations k; // [rows, NH dqk]
    final Activations v; // [rows, NH dv]
    final Activations i; // input gate's pre-activation [rows, NH]
    final Activations f; // forget gate's [rows, NH]
    final Activations h; // [rows, NH dv]

    /**
     * @param eps of the cell
     * @param scale of q in the cell
     */
    MlstmHeads(int heads, int dqk, int dv, float eps, float scale, Pass pass) {
        this.heads = heads;
        this.dqk = dqk;
        this.dv = dv;
        this.pass = pass;
        cells = new MlstmCell[pass.team.threads()];
        for (int w = 0; w < cells.length; w++) {
            cells[w] = new MlstmCell(dqk, dv, pass.config.chunkSize(), eps, scale);
        }
        q = pass.activations(heads * dqk);
        k = pass.activations(heads * dqk);
        v = pass.activations(heads * dv);
        i = pass.activations(heads);
        f = pass.activations(heads);
        h = pass.activations(heads * dv);
    }

    /** Tasks of the batch under way: a head of a sequence each. */
    int tasks() {
        return pass.batch.chunks() * heads;
    }

    int chunk(int task) {
        return task / heads;
    }

    int head(int task) {
        return task % heads;
    }

    /**
     * {@code h = LayerNorm(mLSTM(q, k, v, i, f))} of one head of one sequence.
     *
     * @param stateAt byte of the sequence's memory where the block's state begins
     */
    void run(int task, int worker, long stateAt, Norm norm) {
        int head = head(task);
        int row = pass.batch.start(chunk(task));
        int rows = pass.batch.start(chunk(task) + 1) - row;
        int qkAt = row * q.width + head * dqk;
        int vAt = row * v.width + head * dv;
        int gateAt = row * heads + head;
        // C [NH, dqk, dv], n [NH, dqk], m [NH]
        CpuState state = pass.state(chunk(task));
        long cAt = stateAt + 4L * head * dqk * dv;
        long nAt = stateAt + 4L * heads * dqk * dv + 4L * head * dqk;
        long mAt = stateAt + 4L * heads * dqk * (dv + 1) + 4L * head;
        MlstmCell cell = cells[worker];
        if (rows == 1) {
            float input = i.data[gateAt];
            float forget = f.data[gateAt];
            cell.step(state.memory, cAt, nAt, mAt, q.data, k.data, qkAt, v.data, h.data, vAt, input, forget);
        } else {
            cell.chunkwise(
                    state.memory,
                    cAt,
                    nAt,
                    mAt,
                    rows,
                    q.data,
                    k.data,
                    qkAt,
                    q.width,
                    v.data,
                    h.data,
                    vAt,
                    v.width,
                    i.data,
                    f.data,
                    gateAt,
                    heads);
        }
        for (int t = 0; t < rows; t++) {
            int at = vAt + t * h.width;
            Elementwise.layerNorm(
                    h.data, at, norm.weight(), norm.bias(), head * dv, dv, pass.config.normEps(), h.data, at);
        }
    }
}
