package dev.xlstm.backend;

import dev.xlstm.mlstm.MlstmCell;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.model.XlstmWeights.Layer;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.Elementwise;
import dev.xlstm.tensor.WeightMatrix;
import java.util.List;

/**
 * A model on the CPU. {@link #forward} is the whole computation in its order; all it calls is below it. Activations are
 * float32 with a row for each id of the batch, whichever sequence the id belongs to: only the mLSTM cell looks at
 * sequences.
 */
final class CpuModel implements LoadedModel {

    /** Rows of the largest forward pass: a prompt's weights are unpacked once for as many ids. */
    private static final int MAX_ROWS = WeightMatrix.MAX_ROWS;

    /** The linear layers of a block, cut into tasks. */
    private record Block(Layer weights, Projection qkvoif, Projection out, Projection upGate, Projection down) {}

    private final XlstmWeights weights;
    private final XlstmConfig config;
    private final List<Block> blocks;
    private final Projection head;
    private final ThreadTeam team;
    private final MlstmCell[] cells; // one a worker

    private final Activations x; // residual stream [rows, H]
    private final Activations y; // its norm [rows, H]
    private final Activations q; // [rows, QK]
    private final Activations k; // [rows, QK]
    private final Activations v; // [rows, VD]
    private final Activations o; // output gate's pre-activation [rows, VD]
    private final Activations i; // input gate's [rows, NH]
    private final Activations f; // forget gate's [rows, NH]
    private final Activations h; // of the cell [rows, VD]
    private final Activations gate; // [rows, U]
    private final Activations up; // [rows, U]
    private final Activations delta; // what a layer adds to x [rows, H]
    private final Activations logits; // the caller's [logit rows, V]
    private final List<Activations> perRow;

    // the pass under way, for the tasks; these are bound once, as a lambda a job would be garbage a token
    private Batch batch;
    private int layer;
    private Norm norm;
    private final ThreadTeam.Task embedTask = this::embedRow;
    private final ThreadTeam.Task normTask = this::normRow;
    private final ThreadTeam.Task cellTask = this::cellOfHead;

    CpuModel(XlstmWeights weights, int threads) {
        this.weights = weights;
        config = weights.config();
        team = new ThreadTeam(threads);
        cells = new MlstmCell[threads];
        float[][] scratch = new float[threads][WeightMatrix.SCRATCH_FLOATS];
        for (int w = 0; w < threads; w++) {
            cells[w] = new MlstmCell(config.qkHeadSize(), config.vHeadSize(), config.chunkSize(), config.eps());
        }
        int hidden = config.hiddenSize();
        int ffn = config.ffnSize();
        x = new Activations(hidden);
        y = new Activations(hidden);
        q = new Activations(config.qkSize());
        k = new Activations(config.qkSize());
        v = new Activations(config.vSize());
        o = new Activations(config.vSize());
        i = new Activations(config.numHeads());
        f = new Activations(config.numHeads());
        h = new Activations(config.vSize());
        gate = new Activations(ffn);
        up = new Activations(ffn);
        delta = new Activations(hidden);
        logits = new Activations(config.vocabSize());
        perRow = List.of(x, y, q, k, v, o, i, f, h, gate, up, delta);

        Projection.Epilogue addToX =
                (t, from, to) -> Elementwise.add(x.data, t * hidden + from, delta.data, t * hidden + from, to - from);
        Projection.Epilogue gateUp =
                (t, from, to) -> Elementwise.siluTimes(gate.data, t * ffn + from, up.data, t * ffn + from, to - from);
        Projection.Epilogue capLogits = (t, from, to) ->
                Elementwise.softCap(logits.data, t * config.vocabSize() + from, to - from, config.outputLogitSoftCap());
        blocks = weights.layers().stream()
                .map(w -> new Block(
                        w,
                        Projection.separate(
                                y,
                                List.of(w.q(), w.k(), w.v(), w.outputGate(), w.inputGate(), w.forgetGate()),
                                List.of(q, k, v, o, i, f),
                                null,
                                scratch),
                        Projection.separate(h, List.of(w.out()), List.of(delta), addToX, scratch),
                        Projection.together(y, List.of(w.upGate(), w.up()), List.of(gate, up), gateUp, scratch),
                        Projection.separate(gate, List.of(w.down()), List.of(delta), addToX, scratch)))
                .toList();
        head = Projection.separate(y, List.of(new Linear(weights.head(), null)), List.of(logits), capLogits, scratch);
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
        begin(batch, logitsOut);
        int rows = batch.rows();
        team.run(rows, embedTask); // x = E[id]
        for (layer = 0; layer < blocks.size(); layer++) {
            Block block = blocks.get(layer);
            norm(block.weights.normMlstm(), rows); // y = RMSNorm(x)
            block.qkvoif.run(team, rows); // q, k, v, o~, i~, f~ = W y
            Elementwise.softCap(i.data, 0, rows * config.numHeads(), config.gateSoftCap());
            Elementwise.softCap(f.data, 0, rows * config.numHeads(), config.gateSoftCap());
            team.run(
                    batch.chunks() * config.numHeads(),
                    cellTask); // h = sigmoid(o~) * LayerNorm(mLSTM(q, k, v, i~, f~))
            block.out.run(team, rows); // x += W h
            norm(block.weights.normFfn(), rows); // y = RMSNorm(x)
            block.upGate.run(team, rows); // gate = silu(W y) * W y
            block.down.run(team, rows); // x += W gate
        }
        if (batch.logitRows() > 0) {
            keepLogitRows();
            norm(weights.outNorm(), batch.logitRows());
            head.run(team, batch.logitRows()); // logits = cap(W y)
        }
    }

    private void begin(Batch batch, float[] logitsOut) {
        int rows = batch.rows();
        if (rows == 0 || rows > MAX_ROWS) {
            throw new IllegalArgumentException(rows + " rows in a batch; 1 to " + MAX_ROWS + " are possible");
        }
        for (int r = 0; r < rows; r++) {
            if (batch.id(r) < 0 || batch.id(r) >= config.vocabSize()) {
                throw new IllegalArgumentException(
                        "id " + batch.id(r) + " is outside the vocabulary of " + config.vocabSize());
            }
        }
        if (batch.logitRows() > 0 && logitsOut.length < batch.logitRows() * config.vocabSize()) {
            throw new IllegalArgumentException("no room for " + batch.logitRows() + " rows of logits");
        }
        for (Activations activations : perRow) {
            activations.ensureRows(rows);
        }
        this.batch = batch;
        logits.data = logitsOut;
    }

    private void embedRow(int row, int worker) {
        weights.embedding().unpack(batch.id(row), 0, config.hiddenSize(), x.data, row * config.hiddenSize());
    }

    private void norm(Norm norm, int rows) {
        this.norm = norm;
        team.run(rows, normTask);
    }

    private void normRow(int row, int worker) {
        int at = row * config.hiddenSize();
        if (norm == null) {
            System.arraycopy(x.data, at, y.data, at, config.hiddenSize());
        } else {
            Elementwise.rmsNorm(x.data, at, norm.weight(), norm.bias(), config.normEps(), y.data, at);
        }
    }

    /** The mLSTM cell, the norm and the output gate of one head of one sequence. */
    private void cellOfHead(int task, int worker) {
        int heads = config.numHeads();
        int chunk = task / heads;
        int head = task % heads;
        int dqk = config.qkHeadSize();
        int dv = config.vHeadSize();
        int row = batch.start(chunk);
        int rows = batch.start(chunk + 1) - row;
        int qkAt = row * config.qkSize() + head * dqk;
        int vAt = row * config.vSize() + head * dv;
        int gateAt = row * heads + head;
        CpuState state = (CpuState) batch.state(chunk);
        long cAt = 4 * (layer * config.stateFloatsPerLayer() + (long) head * dqk * dv);
        long nAt = 4 * (layer * config.stateFloatsPerLayer() + (long) heads * dqk * dv + (long) head * dqk);
        long mAt = 4 * (layer * config.stateFloatsPerLayer() + (long) heads * dqk * (dv + 1) + head);
        MlstmCell cell = cells[worker];
        if (rows == 1) {
            cell.step(
                    state.memory,
                    cAt,
                    nAt,
                    mAt,
                    q.data,
                    k.data,
                    qkAt,
                    v.data,
                    h.data,
                    vAt,
                    i.data[gateAt],
                    f.data[gateAt]);
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
                    config.qkSize(),
                    v.data,
                    h.data,
                    vAt,
                    config.vSize(),
                    i.data,
                    f.data,
                    gateAt,
                    heads);
        }
        Norm multihead = blocks.get(layer).weights.multiheadNorm();
        for (int t = 0; t < rows; t++) {
            int at = vAt + t * config.vSize();
            Elementwise.layerNorm(
                    h.data, at, multihead.weight(), multihead.bias(), head * dv, dv, config.normEps(), h.data, at);
            Elementwise.gateBySigmoid(h.data, at, o.data, at, dv);
        }
    }

    /** Moves the rows that get logits to the front of x. */
    private void keepLogitRows() {
        int kept = 0;
        int hidden = config.hiddenSize();
        for (int c = 0; c < batch.chunks(); c++) {
            int wanted = batch.logitRows(c);
            int from = batch.start(c + 1) - wanted;
            System.arraycopy(x.data, from * hidden, x.data, kept * hidden, wanted * hidden);
            kept += wanted;
        }
    }

    @Override
    public void close() {
        team.close();
    }
}
