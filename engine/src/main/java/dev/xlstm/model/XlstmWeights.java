package dev.xlstm.model;

import dev.xlstm.tensor.WeightMatrix;
import java.util.List;

/**
 * The canonical set of weights, whatever names and packing the checkpoint uses. Vectors are float32 on the heap,
 * matrices stay in their stored format. A bias is null where the model has none.
 *
 * @param embedding [V, H]
 * @param layers the blocks, in order
 * @param outNorm the final norm, null where the model has none
 * @param head [V, H]; the embedding itself where the two are tied
 */
public record XlstmWeights(
        XlstmConfig config, WeightMatrix embedding, List<Layer> layers, Norm outNorm, WeightMatrix head) {

    /** Weight and bias (or null) of a norm, both of the norm's width. */
    public record Norm(float[] weight, float[] bias) {}

    /** {@code y = matrix x + bias}; the bias may be null. */
    public record Linear(WeightMatrix matrix, float[] bias) {}

    /**
     * One block.
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
     * @param normFfn [H]
     * @param upGate [U, H]
     * @param up [U, H]
     * @param down [H, U]
     */
    public record Layer(
            Norm normMlstm,
            Linear q,
            Linear k,
            Linear v,
            Linear outputGate,
            Linear inputGate,
            Linear forgetGate,
            Norm multiheadNorm,
            Linear out,
            Norm normFfn,
            Linear upGate,
            Linear up,
            Linear down) {}

    /** The number of weights; a tied head counts once. */
    public long parameterCount() {
        long count = count(embedding) + (head == embedding ? 0 : count(head)) + (outNorm == null ? 0 : count(outNorm));
        for (Layer layer : layers) {
            count += count(layer.normMlstm) + count(layer.multiheadNorm) + count(layer.normFfn);
            count += count(layer.q) + count(layer.k) + count(layer.v) + count(layer.outputGate) + count(layer.out);
            count += count(layer.inputGate) + count(layer.forgetGate);
            count += count(layer.upGate) + count(layer.up) + count(layer.down);
        }
        return count;
    }

    private static long count(WeightMatrix matrix) {
        return (long) matrix.rows() * matrix.columns();
    }

    private static long count(Linear linear) {
        return count(linear.matrix) + (linear.bias == null ? 0 : linear.bias.length);
    }

    private static long count(Norm norm) {
        return norm.weight.length + (norm.bias == null ? 0 : norm.bias.length);
    }
}
