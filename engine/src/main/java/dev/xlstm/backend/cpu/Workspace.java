package dev.xlstm.backend.cpu;

import dev.xlstm.backend.Batch;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmConfig.NormKind;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.util.ArrayList;
import java.util.List;

/**
 * The data of one forward pass that all blocks share: the batch, the residual stream, scratch memory and the threads.
 * Activations are float32 with one row per id of the batch, whichever sequence the id belongs to; only code that touches a
 * state distinguishes sequences.
 */
final class Workspace {

    final XlstmConfig config;
    final ThreadTeam team;
    final float[][] scratch; // one per worker
    final Activations x; // residual stream [rows, H]
    final Activations y; // normalised x [rows, H]
    final Activations delta; // output of a layer, to be added to x [rows, H]
    Batch batch;
    boolean verifying; // see LoadedModel.verify

    private final List<Activations> perRow = new ArrayList<>();
    private Norm norm;
    private final ThreadTeam.Task normTask = this::normRow; // a lambda at each use would allocate on every token

    Workspace(XlstmConfig config, ThreadTeam team) {
        this.config = config;
        this.team = team;
        scratch = new float[team.threads()][WeightMatrix.SCRATCH_FLOATS];
        x = activations(config.hiddenSize());
        y = activations(config.hiddenSize());
        delta = activations(config.hiddenSize());
    }

    /** Activations with as many rows as the current batch. */
    Activations activations(int width) {
        Activations activations = new Activations(width);
        perRow.add(activations);
        return activations;
    }

    void begin(Batch batch, boolean verifying) {
        this.batch = batch;
        this.verifying = verifying;
        for (Activations activations : perRow) {
            activations.ensureRows(batch.rows());
        }
    }

    int rows() {
        return batch.rows();
    }

    /** The rows of a chunk. */
    int rows(int chunk) {
        return batch.start(chunk + 1) - batch.start(chunk);
    }

    /** The state of a chunk's sequence. */
    CpuState state(int chunk) {
        return (CpuState) batch.state(chunk);
    }

    /** {@code y = norm(x)} for the first {@code rows} rows; {@code y = x} if {@code norm} is null. */
    void norm(Norm norm, int rows) {
        this.norm = norm;
        team.run(rows, normTask);
    }

    private void normRow(int row, int worker) {
        int hidden = config.hiddenSize();
        int at = row * hidden;
        if (norm == null) {
            System.arraycopy(x.data, at, y.data, at, hidden);
        } else if (config.norm() == NormKind.RMS) {
            Elementwise.rmsNorm(x.data, at, norm.weight(), norm.bias(), config.normEps(), y.data, at);
        } else {
            Elementwise.layerNorm(x.data, at, norm.weight(), norm.bias(), 0, hidden, config.normEps(), y.data, at);
        }
    }

    /** {@code x += delta} for columns {@code [from, to)} of a row: the epilogue of a layer that computes delta. */
    void addDelta(int row, int from, int to) {
        int at = row * config.hiddenSize() + from;
        Elementwise.add(x.data, at, delta.data, at, to - from);
    }
}
