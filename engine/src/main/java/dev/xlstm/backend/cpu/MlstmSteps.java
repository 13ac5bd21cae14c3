package dev.xlstm.backend.cpu;

import dev.xlstm.cell.MlstmCell;
import dev.xlstm.tensor.Activations;

/** The rows that the mLSTM of one block read in a verifying pass, so that {@link #keep} can feed some of them. */
final class MlstmSteps {

    private final MlstmCell.Shape shape;
    private final Activations k; // [rows, NH, dqk]
    private final Activations v; // [rows, NH, dv]
    private final Activations i; // [rows, NH]
    private final Activations f; // [rows, NH]
    private final ThreadTeam team;
    private final BlockState block;
    private final MlstmCell[] cells; // one per worker
    private final ThreadTeam.Task keepTask = this::keepHead;
    private CpuState state;
    private int first;
    private int rows;

    MlstmSteps(MlstmCell.Shape shape, BlockState block, ThreadTeam team) {
        this.shape = shape;
        this.block = block;
        this.team = team;
        k = new Activations(shape.heads() * shape.dqk());
        v = new Activations(shape.heads() * shape.dv());
        i = new Activations(shape.heads());
        f = new Activations(shape.heads());
        cells = new MlstmCell[team.threads()];
        for (int worker = 0; worker < cells.length; worker++) {
            cells[worker] = new MlstmCell(shape, null, k, v, i, f, null);
        }
    }

    /** Makes room for the rows of a verifying pass. */
    void begin(int rows) {
        k.ensureRows(rows);
        v.ensureRows(rows);
        i.ensureRows(rows);
        f.ensureRows(rows);
    }

    /** Copies one head of some rows. */
    void save(MlstmHeads from, int head, int first, int rows) {
        for (int t = first; t < first + rows; t++) {
            int at = t * shape.heads() + head;
            System.arraycopy(from.k.data, at * shape.dqk(), k.data, at * shape.dqk(), shape.dqk());
            System.arraycopy(from.v.data, at * shape.dv(), v.data, at * shape.dv(), shape.dv());
            i.data[at] = from.i.data[at];
            f.data[at] = from.f.data[at];
        }
    }

    /** Feeds {@code rows} saved rows to a state. */
    void keep(CpuState state, int first, int rows) {
        this.state = state;
        this.first = first;
        this.rows = rows;
        team.run(shape.heads(), keepTask);
        this.state = null;
    }

    private void keepHead(int head, int worker) {
        cells[worker].update(block.c(state), block.n(state), block.m(state), head, first, rows);
    }
}
