package dev.xlstm.model;

import dev.xlstm.model.BlockWeights.Conv;
import dev.xlstm.model.BlockWeights.FeedForward;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.WeightMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds the weights of a block stack from the names of NX-AI's {@code xLSTMLMModel}, with any prefix. */
final class BlockStackLoader {

    private final XlstmConfig config;
    private final TensorSource tensors;
    private final List<String> remarks;
    private final String blocksModule; // holds the blocks and the final norm
    private String embeddingName = "";
    private String headName = "";

    /** @param remarks receives what people should know about how the weights were found */
    BlockStackLoader(XlstmConfig config, TensorSource tensors, List<String> remarks) {
        this.config = config;
        this.tensors = tensors;
        this.remarks = remarks;
        String first = "blocks.0.xlstm_norm.weight";
        String name = tensors.endingIn("xlstm_block_stack." + first, first);
        blocksModule = name.substring(0, name.length() - first.length());
    }

    /** The prefix of the blocks' names, such as {@code model.xlstm_block_stack.}. */
    String blocksModule() {
        return blocksModule;
    }

    String embeddingName() {
        return embeddingName;
    }

    String headName() {
        return headName;
    }

    /** Problems are collected in the source. */
    XlstmWeights load() {
        int hidden = config.hiddenSize();
        List<BlockWeights> blocks = new ArrayList<>();
        for (int i = 0; i < config.numLayers(); i++) {
            String block = blocksModule + "blocks." + i + ".";
            BlockConfig shape = config.blocks().get(i);
            blocks.add(
                    shape instanceof BlockConfig.Mlstm m ? mlstm(block, m) : slstm(block, (BlockConfig.Slstm) shape));
        }
        embeddingName = tensors.endingIn(
                "token_embedding.weight", "token_embedding.weight", "embedding.weight", "embeddings.weight");
        headName = tensors.endingIn("lm_head.weight", "lm_head.weight");
        Norm outNorm = config.outNorm() ? norm(blocksModule + "post_blocks_norm", hidden) : null;
        if (config.tiedHead()) { // safetensors stores tensors that share memory once, under either name
            embeddingName = tensors.firstOf(embeddingName, headName);
        }
        WeightMatrix embedding = tensors.matrix(embeddingName, config.vocabSize(), hidden);
        Linear head = head(embedding, embeddingName, headName);
        return new XlstmWeights(config, embedding, List.copyOf(blocks), outNorm, head);
    }

    private Linear head(WeightMatrix embedding, String embeddingName, String headName) {
        float[] bias = WeightLoader.headBias(tensors, headName, config.vocabSize());
        if (config.tiedHead() && !headName.equals(embeddingName)) {
            if (!tensors.has(headName)) {
                return new Linear(embedding, bias);
            }
            if (tensors.same(headName, embeddingName)) {
                tensors.ignore(headName);
                return new Linear(embedding, bias);
            }
            remarks.add("the head is stored, and not tied to the embedding");
        }
        return new Linear(
                headName.equals(embeddingName)
                        ? embedding
                        : tensors.matrix(headName, config.vocabSize(), config.hiddenSize()),
                bias);
    }

    private BlockWeights mlstm(String block, BlockConfig.Mlstm shape) {
        String name = block + "xlstm.";
        int inner = shape.innerSize();
        boolean bias = shape.bias();
        Linear up = tensors.linear(name + "proj_up", 2 * inner, config.hiddenSize(), bias);
        return new BlockWeights.Mlstm(
                norm(block + "xlstm_norm", config.hiddenSize()),
                TensorSource.rows(up, 0, inner),
                TensorSource.rows(up, inner, 2 * inner),
                conv(name + "conv1d.conv", inner, shape.convKernel()),
                blockDiagonal(name + "q_proj", shape),
                blockDiagonal(name + "k_proj", shape),
                blockDiagonal(name + "v_proj", shape),
                tensors.linear(name + "mlstm_cell.igate", shape.numHeads(), 3 * inner, true),
                tensors.linear(name + "mlstm_cell.fgate", shape.numHeads(), 3 * inner, true),
                norm(name + "mlstm_cell.outnorm", inner),
                tensors.vector(name + "learnable_skip", inner),
                tensors.linear(name + "proj_down", config.hiddenSize(), inner, bias));
    }

    private Linear blockDiagonal(String name, BlockConfig.Mlstm shape) {
        int block = shape.qkvBlockSize();
        return new Linear(
                tensors.matrix(name + ".weight", shape.innerSize() / block, block, block),
                shape.bias() ? tensors.vector(name + ".bias", shape.innerSize()) : null);
    }

    private BlockWeights slstm(String block, BlockConfig.Slstm shape) {
        String name = block + "xlstm.";
        int size = shape.size();
        return new BlockWeights.Slstm(
                norm(block + "xlstm_norm", size),
                shape.convKernel() == 0 ? null : conv(name + "conv1d.conv", size, shape.convKernel()),
                // NX-AI's code feeds the input gate from the matrix named fgate and the forget gate from igate, in
                // training and inference alike; the recurrent kernel and the bias have the true order
                gate(name + "fgate", shape),
                gate(name + "igate", shape),
                gate(name + "zgate", shape),
                gate(name + "ogate", shape),
                recurrent(name + "slstm_cell.", shape),
                shape.groupNorm() ? norm(name + "group_norm", size) : new Norm(ones(size), null),
                shape.feedForward() == null ? null : feedForward(block, shape.feedForward()));
    }

    private Linear gate(String name, BlockConfig.Slstm shape) {
        int head = shape.headSize();
        return new Linear(tensors.matrix(name + ".weight", shape.numHeads(), head, head), null);
    }

    /**
     * The backend that saved the file decides the layout: vanilla stores the kernel as {@code [NHs, 4D, D]} and the bias as
     * {@code [4, NHs, D]}, CUDA {@code [NHs, D, 4D]} and {@code [NHs, 4, D]}. The kernel's shape tells them apart.
     */
    private Linear recurrent(String name, BlockConfig.Slstm shape) {
        int heads = shape.numHeads();
        int d = shape.headSize();
        String kernelName = name + "_recurrent_kernel_";
        long[] stored = tensors.shape(kernelName);
        boolean cuda = stored != null && stored.length == 3 && stored[1] == d && stored[2] == 4L * d;
        WeightMatrix kernel =
                cuda ? tensors.transposed(kernelName, heads, d, 4 * d) : tensors.matrix(kernelName, heads, 4 * d, d);
        float[] bias = tensors.vector(name + "_bias_", 4L * shape.size());
        if (!cuda && bias != null) { // [gate, head, unit] to [head, gate, unit]
            float[] byHead = new float[bias.length];
            for (int g = 0; g < 4; g++) {
                for (int h = 0; h < heads; h++) {
                    System.arraycopy(bias, (g * heads + h) * d, byHead, (h * 4 + g) * d, d);
                }
            }
            bias = byHead;
        }
        return new Linear(kernel, bias);
    }

    private FeedForward feedForward(String block, BlockConfig.FeedForward shape) {
        int hidden = config.hiddenSize();
        Linear up = tensors.linear(block + "ffn.proj_up", 2 * shape.size(), hidden, shape.bias());
        return new FeedForward(
                norm(block + "ffn_norm", hidden),
                TensorSource.rows(up, 0, shape.size()),
                TensorSource.rows(up, shape.size(), 2 * shape.size()),
                tensors.linear(block + "ffn.proj_down", hidden, shape.size(), shape.bias()));
    }

    /** Stored as {@code [features, 1, kernel]}; transposed to {@code [kernel, features]}. */
    private Conv conv(String name, int features, int kernel) {
        float[] stored = tensors.vector(name + ".weight", features, 1, kernel);
        float[] bias = tensors.vector(name + ".bias", features);
        float[] taps = new float[features * kernel];
        for (int f = 0; stored != null && f < features; f++) {
            for (int j = 0; j < kernel; j++) {
                taps[j * features + f] = stored[f * kernel + j];
            }
        }
        return new Conv(taps, bias);
    }

    /** The file stores the weight minus 1. */
    private Norm norm(String name, int width) {
        float[] weight = tensors.vector(name + ".weight", width);
        for (int i = 0; weight != null && i < width; i++) {
            weight[i] += 1;
        }
        return new Norm(weight, null);
    }

    private static float[] ones(int width) {
        float[] ones = new float[width];
        Arrays.fill(ones, 1);
        return ones;
    }
}
