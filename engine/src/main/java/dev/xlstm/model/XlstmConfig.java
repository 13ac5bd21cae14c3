package dev.xlstm.model;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What the computation needs to know of a config.json, derived and checked.
 *
 * @param hiddenSize H, width of the residual stream
 * @param numLayers L
 * @param numHeads NH
 * @param qkSize QK, width of q and k over all heads
 * @param vSize VD, width of v, of the output gate and of the cell's output over all heads
 * @param ffnSize U, width of the feed-forward layer
 * @param vocabSize V, rows of the embedding and of the head
 * @param gateSoftCap cap of the input and forget gates' pre-activations; 0 for none
 * @param outputLogitSoftCap cap of the logits; 0 for none
 * @param normEps added to the variance in all norms
 * @param eps added to the denominator of the mLSTM read-out
 * @param chunkSize steps the chunkwise mLSTM takes at once in prefill; changes results by rounding only
 * @param useBias whether the linear layers and the norms have biases (the gates always have, the head never)
 * @param tiedHead whether the head is the embedding
 * @param outNorm whether the checkpoint must hold a final norm
 */
public record XlstmConfig(
        int hiddenSize,
        int numLayers,
        int numHeads,
        int qkSize,
        int vSize,
        int ffnSize,
        int vocabSize,
        float gateSoftCap,
        float outputLogitSoftCap,
        float normEps,
        float eps,
        int chunkSize,
        boolean useBias,
        boolean tiedHead,
        boolean outNorm) {

    // Far beyond any model, and near enough that no product of them overflows a long.
    private static final int MAX_WIDTH = 1 << 20;
    private static final int MAX_LAYERS = 1 << 12;
    private static final int MAX_VOCAB = 1 << 24;
    private static final int MAX_FACTOR = 1 << 10;
    private static final long MAX_STATE_BYTES = 1L << 36;

    // Longer chunks cost memory and time, and give the same results.
    private static final int MAX_CHUNK = 1 << 10;

    /**
     * Reads a config.json; fields it lacks have the defaults of Hugging Face's implementation.
     *
     * @throws ModelException if it is of another architecture, or a value makes no sense
     */
    public static XlstmConfig read(Path file) throws IOException {
        return of(JsonObject.read(file));
    }

    static XlstmConfig of(JsonObject json) throws ModelException {
        checkArchitecture(json);
        int hidden = either(json, "hidden_size", "embedding_dim", 4096, MAX_WIDTH);
        int layers = either(json, "num_hidden_layers", "num_blocks", 32, MAX_LAYERS);
        int heads = json.integer("num_heads", 8, 1, MAX_WIDTH);
        // truncated, where the feed-forward width is rounded
        int qk = width(json, "qk_dim_factor", hidden * json.number("qk_dim_factor", 0.5, 0, MAX_FACTOR), heads);
        int v = width(json, "v_dim_factor", hidden * json.number("v_dim_factor", 1.0, 0, MAX_FACTOR), heads);
        int multiple = json.integer("ffn_round_up_to_multiple_of", 64, 1, MAX_WIDTH);
        double unrounded = hidden * json.number("ffn_proj_factor", 2.667, 0, MAX_FACTOR);
        int ffn = width(json, "ffn_proj_factor", roundUp(unrounded, multiple), 1);
        XlstmConfig config = new XlstmConfig(
                hidden,
                layers,
                heads,
                qk,
                v,
                ffn,
                json.integer("vocab_size", 50304, 1, MAX_VOCAB),
                softCap(json, "gate_soft_cap", 15),
                softCap(json, "output_logit_soft_cap", 30),
                (float) json.number("norm_eps", 1e-6, 0, 1),
                (float) json.number("eps", 1e-6, 0, 1),
                Math.min(MAX_CHUNK, json.integer("chunk_size", 64, 1, Integer.MAX_VALUE)),
                json.flag("use_bias", false),
                json.flag("tie_word_embeddings", false),
                json.flag("add_out_norm", true));
        if (config.stateBytes() > MAX_STATE_BYTES) {
            throw new ModelException(
                    json.file(),
                    "a state of " + config.stateBytes() + " bytes follows from it; no such model is known");
        }
        return config;
    }

    private static void checkArchitecture(JsonObject json) throws ModelException {
        for (String field : new String[] {"mlstm_block", "slstm_block", "slstm_at", "_xlstm_config"}) {
            if (json.has(field)) {
                throw json.problem(
                        field,
                        "belongs to the original architecture of sLSTM and mLSTM block stacks, which is not supported"
                                + " yet; the models supported are xLSTM large, such as xLSTM-7b");
            }
        }
        String type = json.string("model_type").orElse("xlstm"); // absent in files not written by transformers
        if (!type.equals("xlstm")) {
            throw json.problem("model_type", "is '" + type + "'; only 'xlstm' is supported");
        }
    }

    /** The published 7B has only the second name of each pair; transformers writes both. */
    private static int either(JsonObject json, String name, String alias, int fallback, int max) throws ModelException {
        int value = json.integer(name, json.integer(alias, fallback, 1, max), 1, max);
        if (json.integer(alias, value, 1, max) != value) {
            throw json.problem(name, "and \"" + alias + "\" differ, but mean the same; remove the wrong one");
        }
        return value;
    }

    private static int width(JsonObject json, String field, double width, int heads) throws ModelException {
        if (width < 1 || width > MAX_WIDTH) {
            throw json.problem(field, "makes a layer " + width + " wide; from 1 to " + MAX_WIDTH + " is possible");
        }
        if ((int) width % heads != 0) {
            throw json.problem(
                    field, "makes a layer " + (int) width + " wide, which \"num_heads\" " + heads + " does not divide");
        }
        return (int) width;
    }

    /** The reference's rounding. Not a ceiling: a width just above a multiple is rounded down (256.032 to 256). */
    static double roundUp(double width, int multiple) {
        return Math.floor((width + multiple - 1) / multiple) * multiple;
    }

    /** Null means no cap, absence the default; the computation knows "no cap" as 0. */
    private static float softCap(JsonObject json, String field, double fallback) throws ModelException {
        if (json.has(field) && json.value(field) == null) {
            return 0;
        }
        double cap = json.number(field, fallback, 0, 1e6);
        if (cap < 1e-3) {
            throw json.problem(field, "is " + cap + "; write null for no cap");
        }
        return (float) cap;
    }

    /** dqk, the width of one head's q and k. */
    public int qkHeadSize() {
        return qkSize / numHeads;
    }

    /** dv, the width of one head's v. */
    public int vHeadSize() {
        return vSize / numHeads;
    }

    /** Floats of one layer's state: C, n and m of all heads. */
    public long stateFloatsPerLayer() {
        return (long) numHeads * ((long) qkHeadSize() * vHeadSize() + qkHeadSize() + 1);
    }

    /** Bytes of a sequence's whole state in float32, however long the sequence is. */
    public long stateBytes() {
        return numLayers * stateFloatsPerLayer() * Float.BYTES;
    }
}
