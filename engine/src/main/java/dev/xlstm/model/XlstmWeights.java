package dev.xlstm.model;

import dev.xlstm.tensor.WeightMatrix;
import java.util.List;

/**
 * The canonical set of weights, independent of the names and the packing in the checkpoint. Vectors are float32 on the
 * heap; matrices are off heap in their stored format. A bias is null where the model has none.
 *
 * @param embedding [V, H]
 * @param blocks in order, each of the kind that its config has
 * @param outNorm the final norm; null where the model has none
 * @param head [V, H]; its matrix is the embedding itself where the two are tied
 */
public record XlstmWeights(
        XlstmConfig config, WeightMatrix embedding, List<BlockWeights> blocks, Norm outNorm, Linear head) {

    /** Weight and bias (or null) of a norm, both of the norm's width. */
    public record Norm(float[] weight, float[] bias) {

        List<float[]> vectors() {
            return bias == null ? List.of(weight) : List.of(weight, bias);
        }
    }

    /** {@code y = matrix x + bias}; the bias may be null. */
    public record Linear(WeightMatrix matrix, float[] bias) {}

    /** The number of weights; a tied head counts once. */
    public long parameterCount() {
        long count = count(embedding) + (head.matrix == embedding ? 0 : count(head.matrix));
        count += head.bias == null ? 0 : head.bias.length;
        count += outNorm == null ? 0 : count(outNorm.vectors());
        for (BlockWeights block : blocks) {
            count += count(block.vectors());
            for (Linear linear : block.linears()) {
                count += count(linear.matrix) + (linear.bias == null ? 0 : linear.bias.length);
            }
        }
        return count;
    }

    private static long count(WeightMatrix matrix) {
        return (long) matrix.rows() * matrix.columns();
    }

    private static long count(List<float[]> vectors) {
        return vectors.stream().mapToLong(v -> v.length).sum();
    }
}
