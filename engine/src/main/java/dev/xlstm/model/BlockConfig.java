package dev.xlstm.model;

import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.Activation;
import java.util.ArrayList;
import java.util.List;

/**
 * The shape of a block, and of the state that it carries from token to token. xLSTM large is a stack of {@link Large}
 * blocks; the original models (arXiv 2405.04517) mix {@link Mlstm} and {@link Slstm}.
 */
public sealed interface BlockConfig {

    /** The name of the kind. */
    String kind();

    /** The parts of the block's state, float32, in the order of the canonical layout. */
    List<TensorInfo> state();

    /** Floats of the block's state. */
    default long stateFloats() {
        return state().stream().mapToLong(part -> part.byteSize() / Float.BYTES).sum();
    }

    /**
     * A block of xLSTM large: an mLSTM on the width of the residual stream, then a feed-forward layer.
     *
     * @param numHeads NH
     * @param qkSize QK, width of q and k over all heads
     * @param vSize VD, width of v, of the output gate and of the cell's output over all heads
     * @param ffnSize U, width of the feed-forward layer
     * @param gateSoftCap cap of the input and forget gates' pre-activations; 0 for none
     * @param eps added to the denominator of the mLSTM's output
     * @param bias whether the linear layers and the norms have biases (the gates always have)
     */
    record Large(int numHeads, int qkSize, int vSize, int ffnSize, float gateSoftCap, float eps, boolean bias)
            implements BlockConfig {

        /** dqk, the width of one head's q and k. */
        public int qkHeadSize() {
            return qkSize / numHeads;
        }

        /** dv, the width of one head's v. */
        public int vHeadSize() {
            return vSize / numHeads;
        }

        @Override
        public String kind() {
            return "mLSTM with feed-forward";
        }

        @Override
        public List<TensorInfo> state() {
            return mlstmState(numHeads, qkHeadSize(), vHeadSize());
        }
    }

    /**
     * The original mLSTM block: a projection up, a causal convolution and an mLSTM, a projection down.
     *
     * @param numHeads NH
     * @param innerSize I, the width between the projections; q, k and v are as wide
     * @param qkvBlockSize BS, rows and columns of the diagonal blocks of the matrices of q, k and v
     * @param convKernel KS, inputs in the window of the convolution, including the present one
     * @param bias whether the projections and q, k and v have biases
     */
    record Mlstm(int numHeads, int innerSize, int qkvBlockSize, int convKernel, boolean bias) implements BlockConfig {

        /** DH, the width of one head's q, k and v. */
        public int headSize() {
            return innerSize / numHeads;
        }

        @Override
        public String kind() {
            return "mLSTM";
        }

        @Override
        public List<TensorInfo> state() {
            List<TensorInfo> state = mlstmState(numHeads, headSize(), headSize());
            addWindow(state, convKernel, innerSize);
            return state;
        }
    }

    /**
     * The original sLSTM block: a causal convolution and an sLSTM, then perhaps a feed-forward layer.
     *
     * @param numHeads NHs
     * @param size E, units over all heads: the width of the residual stream
     * @param convKernel KSs, inputs in the window of the convolution, including the present one; 0 for no convolution
     * @param groupNorm whether the norm of the heads has weights
     * @param feedForward null for none
     */
    record Slstm(int numHeads, int size, int convKernel, boolean groupNorm, FeedForward feedForward)
            implements BlockConfig {

        /** D, units of one head. */
        public int headSize() {
            return size / numHeads;
        }

        @Override
        public String kind() {
            return "sLSTM";
        }

        @Override
        public List<TensorInfo> state() {
            List<TensorInfo> state = new ArrayList<>();
            for (String part : new String[] {"y", "c", "n", "m"}) {
                state.add(new TensorInfo(part, DType.F32, size));
            }
            addWindow(state, convKernel, size);
            return state;
        }
    }

    /**
     * The gated feed-forward layer of an sLSTM block.
     *
     * @param size U
     * @param bias whether its linear layers have biases
     */
    record FeedForward(int size, Activation activation, boolean bias) {}

    private static List<TensorInfo> mlstmState(int heads, int dqk, int dv) {
        List<TensorInfo> state = new ArrayList<>();
        state.add(new TensorInfo("c", DType.F32, heads, dqk, dv));
        state.add(new TensorInfo("n", DType.F32, heads, dqk));
        state.add(new TensorInfo("m", DType.F32, heads));
        return state;
    }

    /** The last inputs of a convolution, which it needs again, oldest first. */
    private static void addWindow(List<TensorInfo> state, int kernel, int features) {
        if (kernel > 1) {
            state.add(new TensorInfo("conv", DType.F32, kernel - 1, features));
        }
    }
}
