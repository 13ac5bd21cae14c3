package dev.xlstm.backend.cpu;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.StateLayout;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.util.List;

/** A model on the CPU. {@link #forward} is the whole computation in order, block by block. */
final class CpuModel implements LoadedModel {

    /** Rows of the largest forward pass: the kernels unpack weights once for this many rows. */
    static final int MAX_ROWS = WeightMatrix.MAX_ROWS;

    /** The kernels give each row of so few the bits that it has alone, in all formats and at all vector widths. */
    static final int MAX_VERIFIED_ROWS = 8;

    private final XlstmWeights weights;
    private final XlstmConfig config;
    private final StateLayout layout;
    private final ThreadTeam team;
    private final Workspace work;
    private final List<Block> blocks;
    private final Activations logits; // wraps the caller's array [logit rows, V]
    private final Projection head;
    private final Batch verified = new Batch(); // chunks of the last pass, if it was a verifying one
    private int kept; // bit set of those of its chunks that have been kept
    private final ThreadTeam.Task embedTask = this::embedRow;

    CpuModel(XlstmWeights weights, int threads) {
        this.weights = weights;
        config = weights.config();
        layout = StateLayout.of(config);
        team = new ThreadTeam(threads);
        work = new Workspace(config, team);
        blocks = Block.of(weights, layout, work);
        logits = new Activations(config.vocabSize());
        Projection.Epilogue capLogits = (t, from, to) ->
                Elementwise.softCap(logits.data, t * config.vocabSize() + from, to - from, config.outputLogitSoftCap());
        head = Projection.separate(work.y, List.of(weights.head()), List.of(logits), capLogits, work.scratch);
    }

    @Override
    public XlstmConfig config() {
        return config;
    }

    @Override
    public int maxRows() {
        return MAX_ROWS;
    }

    @Override
    public State newState() {
        return new CpuState(layout);
    }

    @Override
    public void forward(Batch batch, float[] logitsOut) {
        batch.check(MAX_ROWS, config.vocabSize(), logitsOut);
        verified.clear();
        forward(batch, logitsOut, false);
    }

    @Override
    public int maxVerifiedRows() {
        return MAX_VERIFIED_ROWS;
    }

    @Override
    public void verify(Batch batch, float[] logitsOut) {
        batch.check(MAX_VERIFIED_ROWS, config.vocabSize(), logitsOut);
        verified.clear();
        kept = 0;
        forward(batch, logitsOut, true);
        verified.addAll(batch);
    }

    @Override
    public void keep(State state, int rows) {
        for (int chunk = 0; chunk < verified.chunks(); chunk++) {
            if (verified.state(chunk) == state && (kept & 1 << chunk) == 0) {
                int first = verified.start(chunk);
                if (rows < 1 || rows > verified.start(chunk + 1) - first) {
                    throw new IllegalArgumentException(
                            "cannot keep " + rows + " rows of a chunk of " + (verified.start(chunk + 1) - first));
                }
                kept |= 1 << chunk;
                for (Block block : blocks) {
                    block.keep((CpuState) state, first, rows);
                }
                return;
            }
        }
        throw new IllegalStateException("the last pass did not verify rows of this state");
    }

    private void forward(Batch batch, float[] logitsOut, boolean verifying) {
        work.begin(batch, verifying);
        team.run(batch.rows(), embedTask); // x [rows, H] = E[id]
        for (Block block : blocks) {
            block.forward(); // x += block(x, state)
        }
        if (batch.logitRows() > 0) {
            keepLogitRows(); // x [logit rows, H]
            work.norm(weights.outNorm(), batch.logitRows()); // y = norm(x)
            logits.data = logitsOut;
            head.run(team, batch.logitRows()); // logits [logit rows, V] = cap(W_head y + b)
        }
    }

    private void embedRow(int row, int worker) {
        int hidden = config.hiddenSize();
        weights.embedding().unpack(work.batch.id(row), 0, hidden, work.x.data, row * hidden);
    }

    /** Moves the rows that get logits to the front of x. */
    private void keepLogitRows() {
        Batch batch = work.batch;
        float[] x = work.x.data;
        int kept = 0;
        int hidden = config.hiddenSize();
        for (int c = 0; c < batch.chunks(); c++) {
            int wanted = batch.logitRows(c);
            int from = batch.start(c + 1) - wanted;
            System.arraycopy(x, from * hidden, x, kept * hidden, wanted * hidden);
            kept += wanted;
        }
    }

    @Override
    public void close() {
        team.close();
    }
}
