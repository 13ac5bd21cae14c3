package dev.xlstm.backend.cpu;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.util.List;

/** A model on the CPU. {@link #forward} is the whole computation in its order, block by block. */
final class CpuModel implements LoadedModel {

    /** Rows of the largest forward pass: a prompt's weights are unpacked once for as many ids. */
    static final int MAX_ROWS = WeightMatrix.MAX_ROWS;

    private final XlstmWeights weights;
    private final XlstmConfig config;
    private final ThreadTeam team;
    private final Pass pass;
    private final List<Block> blocks;
    private final Activations logits; // the caller's [logit rows, V]
    private final Projection head;
    private final ThreadTeam.Task embedTask = this::embedRow;

    CpuModel(XlstmWeights weights, int threads) {
        this.weights = weights;
        config = weights.config();
        team = new ThreadTeam(threads);
        pass = new Pass(config, team);
        blocks = Block.of(weights, pass);
        logits = new Activations(config.vocabSize());
        Projection.Epilogue capLogits = (t, from, to) ->
                Elementwise.softCap(logits.data, t * config.vocabSize() + from, to - from, config.outputLogitSoftCap());
        head = Projection.separate(
                pass.y, List.of(new Linear(weights.head(), null)), List.of(logits), capLogits, pass.scratch);
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
        return new CpuState(config);
    }

    @Override
    public void forward(Batch batch, float[] logitsOut) {
        batch.check(MAX_ROWS, config.vocabSize(), logitsOut);
        pass.begin(batch);
        team.run(batch.rows(), embedTask); // x = E[id]
        for (Block block : blocks) {
            block.forward(); // x += block(x, state)
        }
        if (batch.logitRows() > 0) {
            keepLogitRows();
            pass.norm(weights.outNorm(), batch.logitRows()); // y = norm(x)
            logits.data = logitsOut;
            head.run(team, batch.logitRows()); // logits = cap(W y)
        }
    }

    private void embedRow(int row, int worker) {
        int hidden = config.hiddenSize();
        weights.embedding().unpack(pass.batch.id(row), 0, hidden, pass.x.data, row * hidden);
    }

    /** Moves the rows that get logits to the front of x. */
    private void keepLogitRows() {
        Batch batch = pass.batch;
        float[] x = pass.x.data;
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
