package dev.xlstm.model;

import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.tensor.WeightMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Builds the canonical weights from a checkpoint. Checkpoints differ in the prefixes of their names and in the packing of
 * the matrices; both are found from the names themselves. Settles every special case of xLSTM large;
 * {@link BlockStackLoader} does so for block stacks.
 */
final class WeightLoader {

    private final XlstmConfig config;
    private final TensorSource tensors;
    private final List<String> remarks = new ArrayList<>();
    private String outerModule = ""; // around the modules of the model, such as "model."
    private String blocksModule = ""; // holds the blocks, such as "model.backbone."
    private String embeddingName = "";
    private String headName = "";

    WeightLoader(XlstmConfig config, Checkpoint checkpoint) {
        this(config, checkpoint, null);
    }

    /**
     * @param converter changes the format of the matrices; null to leave them as stored
     */
    WeightLoader(XlstmConfig config, Checkpoint checkpoint, MatrixConverter converter) {
        this.config = config;
        tensors = new TensorSource(checkpoint, converter);
    }

    /** @throws ModelException if a tensor is missing or has another shape than the config asks for */
    XlstmWeights load() throws ModelException {
        XlstmWeights weights;
        if (config.large().isPresent()) {
            weights = large(config.large().get());
        } else {
            BlockStackLoader stack = new BlockStackLoader(config, tensors, remarks);
            weights = stack.load();
            blocksModule = stack.blocksModule();
            outerModule = outer(blocksModule);
            embeddingName = stack.embeddingName();
            headName = stack.headName();
        }
        tensors.report();
        return weights;
    }

    /** The module around one: {@code model.} around {@code model.backbone.}. */
    private static String outer(String module) {
        return module.isEmpty() ? "" : module.substring(0, module.lastIndexOf('.', module.length() - 2) + 1);
    }

    /** A tensor's name in a checkpoint of this model without prefixes and wrapper modules. */
    String canonicalName(String stored) {
        boolean large = config.large().isPresent();
        String name = TensorSource.withoutWrappers(stored);
        String headModule = headName.substring(0, headName.lastIndexOf('.') + 1);
        if (name.equals(embeddingName) && !name.equals(headName)) {
            return large ? "backbone.embeddings.weight" : "token_embedding.weight";
        }
        if (!headModule.isEmpty() && name.startsWith(headModule)) {
            return "lm_head." + name.substring(headModule.length());
        }
        if (name.startsWith(blocksModule)) {
            String inner = name.substring(blocksModule.length());
            if (inner.startsWith("blocks.") || inner.startsWith("out_norm.") || inner.startsWith("post_blocks_norm.")) {
                return (large ? "backbone." : "xlstm_block_stack.") + inner;
            }
        }
        return name;
    }

    /** Names of tensors in the checkpoint that no weight was made of. */
    List<String> unusedTensors() {
        return List.copyOf(tensors.unused().values());
    }

    /** What people should know about how the weights were found. */
    List<String> remarks() {
        return List.copyOf(remarks);
    }

    private static final Pattern HARMLESS =
            Pattern.compile("(?:^|.*\\.)(?:causal_mask|position_ids|num_batches_tracked)");

    private static final Pattern SUSPICIOUS = Pattern.compile(
            ".*(?:lora_|adapter|embed|attention).*|(?:.*[._])?(?:pos|position|positional|rotary|rope|wpe|attn)(?:[._].*)?");

    /**
     * The unused tensors that would change the text if the model's author had computed with them: those inside the
     * modules of the model ({@code lm_head.bias}, a fifth block), and those whose names tell of adapters, positions,
     * embeddings or attention. Other modules beside the model, such as a value head, do not feed the text.
     */
    List<String> strayTensors() {
        Set<String> modules = new HashSet<>();
        tensors.used().forEach(name -> modules.add(module(name)));
        List<String> stray = new ArrayList<>();
        tensors.unused().forEach((name, stored) -> {
            boolean changesText = modules.contains(module(name))
                    || SUSPICIOUS.matcher(name.toLowerCase(Locale.ROOT)).matches();
            if (changesText && !HARMLESS.matcher(name).matches()) {
                stray.add(stored);
            }
        });
        return stray;
    }

    /** The outermost module of a tensor within the model. */
    private String module(String name) {
        String inner = name.startsWith(outerModule) ? name.substring(outerModule.length()) : name;
        return inner.substring(0, Math.max(0, inner.indexOf('.')));
    }

    /** The matrices by the names of their tensors in the checkpoint; fused ones whole. */
    Map<String, WeightMatrix> matrices() {
        return tensors.matrices();
    }

    private XlstmWeights large(BlockConfig.Large shape) {
        int vocab = config.vocabSize();
        int hidden = config.hiddenSize();
        String first = "blocks.0.norm_mlstm.weight";
        String name = tensors.endingIn("backbone." + first, first);
        String backbone = name.substring(0, name.length() - first.length());
        blocksModule = backbone;
        outerModule = outer(backbone);
        embeddingName = tensors.endingIn("backbone.embeddings.weight", "embeddings.weight", "embedding.weight");
        WeightMatrix embedding = tensors.matrix(embeddingName, vocab, hidden);
        List<BlockWeights> blocks = new ArrayList<>();
        for (int i = 0; i < config.numLayers(); i++) {
            blocks.add(block(backbone + "blocks." + i + ".", shape));
        }
        Norm outNorm = outNorm(backbone + "out_norm", shape);
        return new XlstmWeights(config, embedding, List.copyOf(blocks), outNorm, head(embedding));
    }

    /** transformers uses a stored head even where the config ties the two; only a missing head is the embedding. */
    private Linear head(WeightMatrix embedding) {
        String name = tensors.endingIn("lm_head.weight", "lm_head.weight");
        headName = name;
        boolean stored = tensors.has(name);
        if (stored && config.tiedHead()) {
            remarks.add("the stored head counts, although tie_word_embeddings is true, as in transformers");
        }
        WeightMatrix matrix = !stored && config.tiedHead()
                ? embedding
                : tensors.matrix(name, config.vocabSize(), config.hiddenSize());
        return new Linear(matrix, headBias(tensors, name, config.vocabSize()));
    }

    /** A bias appears where a head was replaced for another vocabulary. */
    static float[] headBias(TensorSource tensors, String head, int vocab) {
        String bias = head.replaceFirst("weight$", "bias");
        return tensors.has(bias) ? tensors.vector(bias, vocab) : null;
    }

    private BlockWeights block(String block, BlockConfig.Large shape) {
        int hidden = config.hiddenSize();
        int qk = shape.qkSize();
        int v = shape.vSize();
        String cell = block + "mlstm_layer.";
        String ffn = block + "ffn.";
        boolean bias = shape.bias();
        // the first release of the Hugging Face implementation has query, key, value for q, k, v
        List<Linear> qkvo = stack(
                cell + "qkv_opreact",
                bias,
                new Part(tensors.firstLinearOf(cell + "q", cell + "query"), qk),
                new Part(tensors.firstLinearOf(cell + "k", cell + "key"), qk),
                new Part(tensors.firstLinearOf(cell + "v", cell + "value"), v),
                new Part(cell + "ogate_preact", v));
        List<Linear> gates = stack(
                cell + "ifgate_preact",
                true,
                new Part(cell + "igate_preact", shape.numHeads()),
                new Part(cell + "fgate_preact", shape.numHeads()));
        List<Linear> up = stack(
                ffn + "proj_up_gate_z",
                bias,
                new Part(ffn + "proj_up_gate", shape.ffnSize()),
                new Part(ffn + "proj_up", shape.ffnSize()));
        Linear down = tensors.linear(ffn + "proj_down", hidden, shape.ffnSize(), bias);
        return new BlockWeights.Large(
                norm(block + "norm_mlstm", bias, hidden),
                qkvo.get(0),
                qkvo.get(1),
                qkvo.get(2),
                qkvo.get(3),
                gates.get(0),
                gates.get(1),
                multiheadNorm(cell + "multihead_norm", shape),
                tensors.linear(cell + "out_proj", hidden, v, bias),
                new BlockWeights.FeedForward(norm(block + "norm_ffn", bias, hidden), up.get(0), up.get(1), down));
    }

    /**
     * Hugging Face's implementation ignores {@code add_out_norm} and always has the final norm; NX-AI's obeys the flag. A
     * model trained without the norm has no weight for it, so here the flag only tells whether the tensor may be absent.
     * Only NX-AI's norm has a bias.
     */
    private Norm outNorm(String name, BlockConfig.Large shape) {
        if (!config.outNorm() && !tensors.has(name + ".weight")) {
            return null;
        }
        return norm(name, shape.bias() && tensors.has(name + ".bias"), config.hiddenSize());
    }

    /** Stored flat, or one row per head. */
    private Norm multiheadNorm(String name, BlockConfig.Large shape) {
        long[] stored = tensors.shape(name + ".weight");
        return stored != null && stored.length == 2
                ? norm(name, shape.bias(), shape.numHeads(), shape.vHeadSize())
                : norm(name, shape.bias(), shape.vSize());
    }

    private Norm norm(String name, boolean bias, long... shape) {
        return new Norm(tensors.vector(name + ".weight", shape), bias ? tensors.vector(name + ".bias", shape) : null);
    }

    /** A linear layer from the hidden width that may be stored as rows of a fused matrix. */
    private record Part(String name, int rows) {}

    /** Layers stored one by one, or (the config's {@code weight_mode} is fused) one below the other in one matrix. */
    private List<Linear> stack(String fusedName, boolean bias, Part... parts) {
        List<Linear> linears = new ArrayList<>();
        if (!tensors.has(fusedName + ".weight")) {
            for (Part part : parts) {
                linears.add(tensors.linear(part.name, part.rows, config.hiddenSize(), bias));
            }
            return linears;
        }
        int rows = Arrays.stream(parts).mapToInt(Part::rows).sum();
        Linear fused = tensors.linear(fusedName, rows, config.hiddenSize(), bias);
        int from = 0;
        for (Part part : parts) {
            linears.add(TensorSource.rows(fused, from, from + part.rows));
            from += part.rows;
        }
        return linears;
    }
}
