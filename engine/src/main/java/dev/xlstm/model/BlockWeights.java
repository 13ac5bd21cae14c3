package dev.xlstm.model;

import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights of a block, of the kind that {@link BlockConfig} describes under the same name. The records have one component
 * for each tensor of the specification, hence more than seven.
 */
public sealed interface BlockWeights {

    /** The linear layers; each is used once per token. */
    List<Linear> linears();

    /** All other weights. */
    List<float[]> vectors();

    /**
     * A block of xLSTM large.
     *
     * @param normMlstm [H]
     * @param q [QK, H]
     * @param k [QK, H]
     * @param v [VD, H]
     * @param outputGate [VD, H]
     * @param inputGate [NH, H], always with a bias
     * @param forgetGate [NH, H], always with a bias
     * @param multiheadNorm [VD]
     * @param out [H, VD]
     * @param feedForward always there
     */
    record Large(
            Norm normMlstm,
            Linear q,
            Linear k,
            Linear v,
            Linear outputGate,
            Linear inputGate,
            Linear forgetGate,
            Norm multiheadNorm,
            Linear out,
            FeedForward feedForward)
            implements BlockWeights {

        @Override
        public List<Linear> linears() {
            return joined(List.of(q, k, v, outputGate, inputGate, forgetGate, out), feedForward.linears());
        }

        @Override
        public List<float[]> vectors() {
            return joined(normMlstm.vectors(), multiheadNorm.vectors(), feedForward.norm.vectors());
        }
    }

    /**
     * An original mLSTM block. The matrices of q, k and v are block-diagonal: row r holds the BS columns of its block.
     *
     * @param norm [E]
     * @param x [I, E], the branch that the cell reads
     * @param z [I, E], the gate of the block's output
     * @param conv over I features
     * @param q [I, BS]
     * @param k [I, BS]
     * @param v [I, BS]
     * @param inputGate [NH, 3I], always with a bias
     * @param forgetGate [NH, 3I], always with a bias
     * @param headNorm [I]
     * @param skip [I], weight of the convolution's output, which is added to the cell's
     * @param down [E, I]
     */
    record Mlstm(
            Norm norm,
            Linear x,
            Linear z,
            Conv conv,
            Linear q,
            Linear k,
            Linear v,
            Linear inputGate,
            Linear forgetGate,
            Norm headNorm,
            float[] skip,
            Linear down)
            implements BlockWeights {

        @Override
        public List<Linear> linears() {
            return List.of(x, z, q, k, v, inputGate, forgetGate, down);
        }

        @Override
        public List<float[]> vectors() {
            return joined(norm.vectors(), conv.vectors(), headNorm.vectors(), List.of(skip));
        }
    }

    /**
     * An original sLSTM block. The matrices of the gates are block-diagonal, one block per head: row r holds the D columns
     * of its head.
     *
     * @param norm [E]
     * @param conv over E features; null for none
     * @param inputGate [E, D], without bias like the other three
     * @param forgetGate [E, D]
     * @param cellInput z, [E, D]
     * @param outputGate [E, D]
     * @param recurrent {@code [NHs * 4 * D, D]}: for each head the rows of i, then f, z and o; its bias is that of all gates
     * @param headNorm [E]
     * @param feedForward null for none
     */
    record Slstm(
            Norm norm,
            Conv conv,
            Linear inputGate,
            Linear forgetGate,
            Linear cellInput,
            Linear outputGate,
            Linear recurrent,
            Norm headNorm,
            FeedForward feedForward)
            implements BlockWeights {

        @Override
        public List<Linear> linears() {
            List<Linear> own = List.of(inputGate, forgetGate, cellInput, outputGate, recurrent);
            return feedForward == null ? own : joined(own, feedForward.linears());
        }

        @Override
        public List<float[]> vectors() {
            return joined(
                    norm.vectors(),
                    conv == null ? List.of() : conv.vectors(),
                    headNorm.vectors(),
                    feedForward == null ? List.of() : feedForward.norm.vectors());
        }
    }

    /**
     * A gated feed-forward layer with the norm before it.
     *
     * @param norm [H]
     * @param gate [U, H], the activated half
     * @param up [U, H]
     * @param down [H, U]
     */
    record FeedForward(Norm norm, Linear gate, Linear up, Linear down) {

        List<Linear> linears() {
            return List.of(gate, up, down);
        }
    }

    /**
     * A causal depthwise convolution.
     *
     * @param taps [KS, features]; the last meets the present input
     * @param bias [features]
     */
    record Conv(float[] taps, float[] bias) {

        List<float[]> vectors() {
            return List.of(taps, bias);
        }
    }

    @SafeVarargs
    private static <T> List<T> joined(List<? extends T>... lists) {
        List<T> all = new ArrayList<>();
        for (List<? extends T> list : lists) {
            all.addAll(list);
        }
        return all;
    }
}
