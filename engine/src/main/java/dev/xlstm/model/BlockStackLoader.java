package dev.xlstm.model;

import dev.xlstm.model.BlockWeights.Conv;
import dev.xlstm.model.BlockWeights.FeedForward;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.WeightMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The weights of the original models under the names of NX-AI's {@code xLSTMLMModel}. */
final class BlockStackLoader {

    private final XlstmConfig config;
    private final TensorSource tensors;
    private final String prefix; // of every name but the head's

    BlockStackLoader(XlstmConfig config, TensorSource tensors) {
        this.config = config;
        this.tensors = tensors;
        prefix = tensors.has("model.xlstm_block_stack.blocks.0.xlstm_norm.weight") ? "model." : "";
    }

    /** What is missing or wrong is noted in the source. */
    XlstmWeights load() {
        int hidden = config.hiddenSize();
        List<BlockWeights> blocks = new ArrayList<>();
        for (int i = 0; i < config.numLayers(); i++) {
            String block = prefix + "xlstm_block_stack.blocks." + i + ".";
            BlockConfig shape = config.blocks().get(i);
            blocks.add(
                    shape instanceof BlockConfig.Mlstm m ? mlstm(block, m) : slstm(block, (BlockConfig.Slstm) shape));
        }
        String embeddingName = prefix + "token_embedding.weight";
        String headName = tensors.firstOf("lm_head.weight", prefix + "lm_head.weight");
        if (config.tiedHead()) { // one of the names is enough
            embeddingName = tensors.firstOf(embeddingName, headName);
            headName = tensors.firstOf(headName, embeddingName);
        }
        WeightMatrix embedding = tensors.matrix(embeddingName, config.vocabSize(), hidden);
        WeightMatrix head =
                headName.equals(embeddingName) ? embedding : tensors.matrix(headName, config.vocabSize(), hidden);
        Norm outNorm = config.outNorm() ? norm(prefix + "xlstm_block_stack.post_blocks_norm", hidden) : null;
        return new XlstmWeights(config, embedding, List.copyOf(blocks), outNorm, config.tiedHead() ? embedding : head);
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
                // the package feeds the input gate from the matrix named fgate and the forget gate from igate, in
                // training
                // and inference alike; the recurrent kernel and the bias are in the true order
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
     * Both layouts there are, which the kernel's shape tells apart: by the vanilla backend {@code [NHs, 4D, D]} with a bias
     * {@code [4, NHs, D]}, by the CUDA backend {@code [NHs, D, 4D]} with {@code [NHs, 4, D]}.
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

    /** Stored {@code [features, 1, kernel]}, a row a feature; used a row a tap. */
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

    /** Stored as the difference from 1. */
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
