package dev.xlstm.backend.cpu;

import dev.xlstm.backend.Batch;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmConfig.NormKind;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.util.ArrayList;
import java.util.List;

/**
 * What the blocks of a model work on in turn: the batch of the forward pass under way, the residual stream and the
 * threads. Activations are float32 with a row for each id of the batch, whichever sequence the id belongs to: only what
 * has a state looks at sequences.
 */
final class Pass {

    final XlstmConfig config;
    final ThreadTeam team;
    final float[][] scratch; // one a worker
    final Activations x; // residual stream [rows, H]
    final Activations y; // its norm [rows, H]
    final Activations delta; // what a layer adds to x [rows, H]
    Batch batch;

    private final List<Activations> perRow = new ArrayList<>();
    private Norm norm;
    private final ThreadTeam.Task normTask = this::normRow; // bound once, as a lambda a job would be garbage a token

    Pass(XlstmConfig config, ThreadTeam team) {
        this.config = config;
        this.team = team;
        scratch = new float[team.threads()][WeightMatrix.SCRATCH_FLOATS];
        x = activations(config.hiddenSize());
        y = activations(config.hiddenSize());
        delta = activations(config.hiddenSize());
    }

    /** Activations that have as many rows as the batch under way. */
    Activations activations(int width) {
        Activations activations = new Activations(width);
        perRow.add(activations);
        return activations;
    }

    void begin(Batch batch) {
        this.batch = batch;
        for (Activations activations : perRow) {
            activations.ensureRows(batch.rows());
        }
    }

    int rows() {
        return batch.rows();
    }

    /** The state of a chunk's sequence. */
    CpuState state(int chunk) {
        return (CpuState) batch.state(chunk);
    }

    /** {@code y = norm(x)} of the first rows; y = x if there is no norm. */
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

    /** The epilogue of a layer that computes {@link #delta}: {@code x += delta}. */
    void addDelta(int row, int from, int to) {
        int at = row * config.hiddenSize() + from;
        Elementwise.add(x.data, at, delta.data, at, to - from);
    }
}
