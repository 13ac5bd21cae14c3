package dev.xlstm.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * What the computation needs to know of a config file, derived and checked.
 *
 * @param hiddenSize H or E, width of the residual stream
 * @param vocabSize V, rows of the embedding and of the head
 * @param blocks in order
 * @param norm the kind of the norms before layers and head (those of the heads are always layer norms)
 * @param normEps added to the variance in all norms
 * @param outNorm whether the checkpoint must hold a final norm
 * @param tiedHead whether the head is the embedding
 * @param outputLogitSoftCap cap of the logits; 0 for none
 * @param chunkSize steps the chunkwise mLSTM takes at once in prefill; changes results by rounding only
 */
public record XlstmConfig(
        int hiddenSize,
        int vocabSize,
        List<BlockConfig> blocks,
        NormKind norm,
        float normEps,
        boolean outNorm,
        boolean tiedHead,
        float outputLogitSoftCap,
        int chunkSize) {

    /** The two kinds of norm over the residual stream. */
    public enum NormKind {
        RMS,
        LAYER
    }

    // Longer chunks cost memory and time, and give the same results.
    private static final int MAX_CHUNK = 1 << 10;

    /**
     * Reads a config file, .json or .yaml; fields it lacks have the defaults of the implementations that write it.
     *
     * @throws ModelException if it is of another architecture, or a value makes no sense
     */
    public static XlstmConfig read(Path file) throws IOException {
        return of(JsonObject.read(file));
    }

    static XlstmConfig of(JsonObject json) throws ModelException {
        XlstmConfig config = BlockStack.isIn(json) ? BlockStack.config(json) : large(json);
        if (config.stateBytes() > ModelLimits.STATE_BYTES) {
            throw new ModelException(
                    json.file(),
                    "a state of " + config.stateBytes() + " bytes follows from it; no such model is known");
        }
        return config;
    }

    /** xLSTM large. */
    private static XlstmConfig large(JsonObject json) throws ModelException {
        checkArchitecture(json);
        int hidden = either(json, "hidden_size", "embedding_dim", 4096, ModelLimits.WIDTH);
        int layers = either(json, "num_hidden_layers", "num_blocks", 32, ModelLimits.LAYERS);
        int heads = json.integer("num_heads", 8, 1, ModelLimits.WIDTH);
        // truncated, where the feed-forward width is rounded
        int qk = width(json, "qk_dim_factor", hidden * json.number("qk_dim_factor", 0.5, 0, ModelLimits.FACTOR), heads);
        int v = width(json, "v_dim_factor", hidden * json.number("v_dim_factor", 1.0, 0, ModelLimits.FACTOR), heads);
        int multiple = json.integer("ffn_round_up_to_multiple_of", 64, 1, ModelLimits.WIDTH);
        double unrounded = hidden * json.number("ffn_proj_factor", 2.667, 0, ModelLimits.FACTOR);
        int ffn = width(json, "ffn_proj_factor", roundUp(unrounded, multiple), 1);
        BlockConfig block = new BlockConfig.Large(
                heads,
                qk,
                v,
                ffn,
                softCap(json, "gate_soft_cap", 15),
                (float) json.number("eps", 1e-6, 0, 1),
                json.flag("use_bias", false));
        return new XlstmConfig(
                hidden,
                json.integer("vocab_size", 50304, 1, ModelLimits.VOCAB),
                Collections.nCopies(layers, block),
                NormKind.RMS,
                (float) json.number("norm_eps", 1e-6, 0, 1),
                json.flag("add_out_norm", true),
                json.flag("tie_word_embeddings", false),
                softCap(json, "output_logit_soft_cap", 30),
                Math.min(MAX_CHUNK, json.integer("chunk_size", 64, 1, Integer.MAX_VALUE)));
    }

    private static void checkArchitecture(JsonObject json) throws ModelException {
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

    static int width(JsonObject json, String field, double width, int heads) throws ModelException {
        if (width < 1 || width > ModelLimits.WIDTH) {
            throw json.problem(
                    field, "makes a layer " + width + " wide; from 1 to " + ModelLimits.WIDTH + " is possible");
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

    public int numLayers() {
        return blocks.size();
    }

    /** The shape of every block of an xLSTM large; none if this is a model of other blocks. */
    public Optional<BlockConfig.Large> large() {
        return blocks.getFirst() instanceof BlockConfig.Large block ? Optional.of(block) : Optional.empty();
    }

    /** Bytes of a sequence's whole state in float32, however long the sequence is. */
    public long stateBytes() {
        return Float.BYTES * blocks.stream().mapToLong(BlockConfig::stateFloats).sum();
    }
}
