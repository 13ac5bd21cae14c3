package dev.xlstm.model;

import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.tensor.WeightMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Finds the canonical weights under whatever names and packing a checkpoint has. */
final class WeightLoader {

    private final XlstmConfig config;
    private final TensorSource tensors;

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
        XlstmWeights weights =
                config.large().isPresent() ? large(config.large().get()) : new BlockStackLoader(config, tensors).load();
        tensors.report();
        return weights;
    }

    /** Names of tensors in the checkpoint that the model has no place for. */
    List<String> unusedTensors() {
        return tensors.unused();
    }

    /** The matrices by the names of their tensors; fused ones whole. */
    Map<String, WeightMatrix> matrices() {
        return tensors.matrices();
    }

    private XlstmWeights large(BlockConfig.Large shape) {
        int vocab = config.vocabSize();
        int hidden = config.hiddenSize();
        WeightMatrix embedding =
                tensors.matrix(tensors.firstOf("backbone.embeddings.weight", "embedding.weight"), vocab, hidden);
        List<BlockWeights> blocks = new ArrayList<>();
        for (int i = 0; i < config.numLayers(); i++) {
            blocks.add(block("backbone.blocks." + i + ".", shape));
        }
        // A stored head counts only where the two are not tied.
        WeightMatrix head = config.tiedHead() ? embedding : tensors.matrix("lm_head.weight", vocab, hidden);
        return new XlstmWeights(config, embedding, List.copyOf(blocks), outNorm(shape), head);
    }

    private BlockWeights block(String block, BlockConfig.Large shape) {
        int hidden = config.hiddenSize();
        int qk = shape.qkSize();
        int v = shape.vSize();
        String cell = block + "mlstm_layer.";
        String ffn = block + "ffn.";
        boolean bias = shape.bias();
        // the very first release of the Hugging Face implementation spelt q, k, v out
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
     * Hugging Face's implementation has the final norm whatever {@code add_out_norm} says, NX-AI's obeys. So the flag
     * only tells whether the tensor may be absent: a model made without the norm has no weight for it. Its bias is
     * NX-AI's alone.
     */
    private Norm outNorm(BlockConfig.Large shape) {
        String name = "backbone.out_norm";
        if (!config.outNorm() && !tensors.has(name + ".weight")) {
            return null;
        }
        return norm(name, shape.bias() && tensors.has(name + ".bias"), config.hiddenSize());
    }

    /** Stored flat or a row a head. */
    private Norm multiheadNorm(String name, BlockConfig.Large shape) {
        long[] stored = tensors.shape(name + ".weight");
        return stored != null && stored.length == 2
                ? norm(name, shape.bias(), shape.numHeads(), shape.vHeadSize())
                : norm(name, shape.bias(), shape.vSize());
    }

    private Norm norm(String name, boolean bias, long... shape) {
        return new Norm(tensors.vector(name + ".weight", shape), bias ? tensors.vector(name + ".bias", shape) : null);
    }

    /** A linear layer from the hidden width that may be stored as rows of a fused one. */
    private record Part(String name, int rows) {}

    /** The parts, whether stored one by one or (config's {@code weight_mode} fused) one below the other. */
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
