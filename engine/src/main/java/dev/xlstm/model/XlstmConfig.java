package dev.xlstm.model;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a model that its computation needs, derived from a config file and checked. The letters are those of
 * the specification: H, V, ... For xLSTM large, see transformers' {@code xLSTMConfig}; for block stacks, NX-AI's
 * {@code xLSTMLMModelConfig}.
 *
 * @param hiddenSize H or E, width of the residual stream
 * @param vocabSize V, rows of the embedding and of the head
 * @param blocks in order
 * @param norm the kind of the norms before layers and head; the norms over a head's output are always layer norms
 * @param normEps added to the variance in all norms
 * @param outNorm whether the checkpoint must hold a final norm
 * @param tiedHead whether the head is the embedding where the checkpoint holds no head
 * @param outputLogitSoftCap cap of the logits; 0 for none
 * @param chunkSize tokens per chunk of the chunkwise mLSTM in prefill; changes results by rounding only
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

    /** The kinds of norm over the residual stream: RMS in xLSTM large, LAYER in block stacks. */
    public enum NormKind {
        RMS,
        LAYER
    }

    // longer chunks cost memory and time, and give the same results
    private static final int MAX_CHUNK = 1 << 10;

    /**
     * Reads a config file, .json or .yaml. A missing field has the default of the implementation that writes the file.
     *
     * @throws ModelException if the file is of another architecture, or a value is out of its range
     */
    public static XlstmConfig read(Path file) throws IOException {
        return of(JsonObject.read(file));
    }

    static XlstmConfig of(JsonObject json) throws ModelException {
        return of(ModelSettings.of(json));
    }

    static XlstmConfig of(ModelSettings settings) throws ModelException {
        XlstmConfig config = switch (settings.architecture()) {
            case LARGE -> large(settings);
            case BLOCK_STACK -> BlockStack.config(settings);
        };
        if (config.stateBytes() > ModelLimits.STATE_BYTES) {
            throw new ModelException(
                    settings.root().file(),
                    "asks for a state of " + config.stateBytes() + " bytes; the limit is " + ModelLimits.STATE_BYTES);
        }
        return config;
    }

    /** xLSTM large. */
    private static XlstmConfig large(ModelSettings settings) throws ModelException {
        JsonObject json = settings.fields();
        int hidden = either(json, "embedding_dim", "hidden_size", 4096, ModelLimits.WIDTH);
        int layers = either(json, "num_blocks", "num_hidden_layers", 32, ModelLimits.LAYERS);
        int heads = json.integer("num_heads", 8, 1, ModelLimits.WIDTH);
        // the reference truncates these two; it rounds the feed-forward width
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
                settings.owner("vocab_size").integer("vocab_size", 50304, 1, ModelLimits.VOCAB),
                Collections.nCopies(layers, block),
                NormKind.RMS,
                (float) json.number("norm_eps", 1e-6, 0, 1),
                json.flag("add_out_norm", true),
                settings.owner("tie_word_embeddings").flag("tie_word_embeddings", false),
                softCap(json, "output_logit_soft_cap", 30),
                Math.min(MAX_CHUNK, json.integer("chunk_size", 64, 1, Integer.MAX_VALUE)));
    }

    /**
     * The published 7B has only the first name of each pair. transformers writes both; there the first counts, as the
     * second may be a default that nobody set.
     */
    private static int either(JsonObject json, String name, String alias, int fallback, int max) throws ModelException {
        return json.integer(name, json.integer(alias, fallback, 1, max), 1, max);
    }

    static int width(JsonObject json, String field, double width, int heads) throws ModelException {
        if (width < 1 || width > ModelLimits.WIDTH) {
            throw json.problem(field, "makes a layer " + width + " wide; the range is 1 to " + ModelLimits.WIDTH + "");
        }
        if ((int) width % heads != 0) {
            throw json.problem(
                    field, "makes a layer " + (int) width + " wide, which \"num_heads\" " + heads + " does not divide");
        }
        return (int) width;
    }

    /** Rounds as the reference does. Not a ceiling: a width just above a multiple is rounded down (256.032 to 256). */
    static double roundUp(double width, int multiple) {
        return Math.floor((width + multiple - 1) / multiple) * multiple;
    }

    /** In the file, null means no cap and absence the default; the result 0 means no cap. */
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

    /** The shape of every block of xLSTM large; empty for a block stack. */
    public Optional<BlockConfig.Large> large() {
        return blocks.getFirst() instanceof BlockConfig.Large block ? Optional.of(block) : Optional.empty();
    }

    /** Bytes of one sequence's state in float32; does not depend on the length of the sequence. */
    public long stateBytes() {
        return Float.BYTES * blocks.stream().mapToLong(BlockConfig::stateFloats).sum();
    }
}
