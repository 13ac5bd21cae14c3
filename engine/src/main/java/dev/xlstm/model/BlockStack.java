package dev.xlstm.model;

import dev.xlstm.tensor.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Reads the config of a stack of mLSTM and sLSTM blocks, NX-AI's {@code xLSTMLMModelConfig} (arXiv 2405.04517). */
final class BlockStack {

    private static final float NORM_EPS = 1e-5f; // fixed in the reference, for every norm
    private static final int CHUNK = 64; // the file has no such field

    private BlockStack() {}

    static XlstmConfig config(ModelSettings settings) throws ModelException {
        JsonObject tree = settings.fields();
        int embedding = tree.integer("embedding_dim", 128, 1, ModelLimits.WIDTH);
        int count = tree.integer("num_blocks", 1, 1, ModelLimits.LAYERS);
        boolean allSlstm = tree.value("mlstm_block") == null;
        Set<Integer> slstmAt = allSlstm ? all(count) : slstmAt(tree, count);
        if (!slstmAt.isEmpty() && tree.value("slstm_block") == null) {
            throw tree.problem("slstm_block", "is missing, but \"slstm_at\" names sLSTM blocks; add it");
        }
        BlockConfig slstm = slstmAt.isEmpty() ? null : slstm(tree.object("slstm_block"), embedding);
        BlockConfig mlstm = slstmAt.size() == count ? null : mlstm(tree, embedding);
        List<BlockConfig> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            blocks.add(slstmAt.contains(i) ? slstm : mlstm);
        }
        return new XlstmConfig(
                embedding,
                settings.owner("vocab_size")
                        .integer("vocab_size", 1, ModelLimits.VOCAB)
                        .orElseThrow(() -> tree.problem("vocab_size", "is missing; add it, there is no default")),
                List.copyOf(blocks),
                XlstmConfig.NormKind.LAYER,
                NORM_EPS,
                tree.flag("add_post_blocks_norm", true),
                tiedHead(settings),
                0,
                CHUNK);
    }

    /**
     * A transformers class around the model ties the head to the embedding unless its own config says otherwise, and then
     * {@code save_pretrained} stores no head.
     */
    private static boolean tiedHead(ModelSettings settings) throws ModelException {
        boolean inTransformers = settings.wrapped() && settings.root().has("architectures");
        return settings.fields().flag("tie_weights", false)
                || inTransformers && settings.root().flag("tie_word_embeddings", true);
    }

    private static Set<Integer> all(int count) {
        Set<Integer> all = new TreeSet<>();
        for (int i = 0; i < count; i++) {
            all.add(i);
        }
        return all;
    }

    /** Positions of sLSTM blocks; negative ones count from the end. */
    private static Set<Integer> slstmAt(JsonObject tree, int count) throws ModelException {
        if ("all".equals(tree.value("slstm_at"))) {
            return all(count);
        }
        Set<Integer> positions = new TreeSet<>();
        for (int position : tree.integers("slstm_at", -count, count - 1)) {
            positions.add(position < 0 ? position + count : position);
        }
        return positions;
    }

    private static BlockConfig mlstm(JsonObject tree, int embedding) throws ModelException {
        JsonObject json = tree.object("mlstm_block").object("mlstm");
        int heads = json.integer("num_heads", 4, 1, ModelLimits.WIDTH);
        int inner = projected(json, embedding, 2.0, heads);
        int wanted = json.integer("qkv_proj_blocksize", 4, 1, ModelLimits.WIDTH);
        int blocks = Math.max(inner / wanted, 1);
        if (inner % blocks != 0 || wanted > inner) {
            throw json.problem(
                    "qkv_proj_blocksize",
                    "is " + wanted + ", which does not divide the width " + inner + " into equal blocks");
        }
        if (inner / blocks > ModelLimits.BLOCK) {
            throw json.problem("qkv_proj_blocksize", "is " + wanted + "; the limit is " + ModelLimits.BLOCK);
        }
        int kernel = json.integer("conv1d_kernel_size", 4, 1, ModelLimits.KERNEL);
        return new BlockConfig.Mlstm(heads, inner, inner / blocks, kernel, tree.flag("bias", false));
    }

    private static BlockConfig slstm(JsonObject block, int embedding) throws ModelException {
        JsonObject json = block.object("slstm");
        String function = json.string("function").orElse("slstm");
        if (!function.equals("slstm")) {
            throw json.problem("function", "is '" + function + "'; only 'slstm' is supported");
        }
        int heads = Math.max(1, json.integer("num_heads", 4, Integer.MIN_VALUE, ModelLimits.WIDTH));
        if (embedding % heads != 0) {
            throw json.problem("num_heads", "is " + heads + ", which does not divide the width " + embedding);
        }
        int kernel = json.integer("conv1d_kernel_size", 4, 0, ModelLimits.KERNEL);
        boolean none = block.has("feedforward") && block.value("feedforward") == null; // absence means the default
        BlockConfig.FeedForward feedForward = none ? null : feedForward(block.object("feedforward"), embedding);
        return new BlockConfig.Slstm(heads, embedding, kernel, json.flag("group_norm_weight", true), feedForward);
    }

    private static BlockConfig.FeedForward feedForward(JsonObject json, int embedding) throws ModelException {
        String type = json.string("ff_type").orElse("ffn_gated");
        if (!type.equals("ffn_gated")) {
            throw json.problem("ff_type", "is '" + type + "'; only 'ffn_gated' is supported");
        }
        String name = json.string("act_fn").orElse("gelu");
        Activation activation = Activation.named(name)
                .orElseThrow(() -> json.problem(
                        "act_fn", "is '" + name + "'; there are " + String.join(", ", Activation.names())));
        return new BlockConfig.FeedForward(projected(json, embedding, 1.3, 1), activation, json.flag("bias", false));
    }

    /**
     * The width of a projection's output. Computed in double precision as in the reference: its rounding errors are part
     * of the format (1.1 * 800 in multiples of 16 is 896).
     */
    private static int projected(JsonObject json, int embedding, double factor, int heads) throws ModelException {
        int multiple = json.integer("round_proj_up_to_multiple_of", 64, 1, ModelLimits.WIDTH);
        double multiples = json.number("proj_factor", factor, 0, ModelLimits.FACTOR) * embedding / multiple;
        double whole = json.flag("round_proj_up_dim_up", true) ? Math.ceil(multiples) : Math.floor(multiples);
        return XlstmConfig.width(json, "proj_factor", whole * multiple, heads);
    }
}
