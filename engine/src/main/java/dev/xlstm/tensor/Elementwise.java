package dev.xlstm.tensor;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** The layers without matrices, each over one row of activations. */
public final class Elementwise {

    private Elementwise() {}

    /**
     * Root-mean-square norm (Zhang and Sennrich 2019): {@code out = x / sqrt(mean(x²) + eps) * weight + bias}.
     *
     * @param x the row is {@code x[xOffset, xOffset + weight.length)}
     * @param bias as long as weight, or null
     * @param out at {@code outOffset}; may be x itself
     */
    public static void rmsNorm(
            float[] x, int xOffset, float[] weight, float[] bias, float eps, float[] out, int outOffset) {
        int n = weight.length;
        FloatVector squares = FloatVector.zero(F32);
        int i = 0;
        for (; i < Simd.bound(n); i += LANES) {
            FloatVector v = FloatVector.fromArray(F32, x, xOffset + i);
            squares = v.fma(v, squares);
        }
        float sum = Simd.sum(squares);
        for (; i < n; i++) {
            sum = Math.fma(x[xOffset + i], x[xOffset + i], sum);
        }
        scaleShift(x, xOffset, 0, inverseSqrt(sum / n + eps), weight, bias, 0, n, out, outOffset);
    }

    /**
     * Layer norm of one head (Ba et al. 2016, biased variance): {@code out = (x - mean) / sqrt(var + eps) * weight + bias},
     * where the head's weights are {@code weight[from, from + n)}.
     *
     * @param bias as long as weight, or null
     */
    public static void layerNorm(
            float[] x,
            int xOffset,
            float[] weight,
            float[] bias,
            int from,
            int n,
            float eps,
            float[] out,
            int outOffset) {
        FloatVector sums = FloatVector.zero(F32);
        int i = 0;
        for (; i < Simd.bound(n); i += LANES) {
            sums = sums.add(FloatVector.fromArray(F32, x, xOffset + i));
        }
        float mean = Simd.sum(sums);
        for (; i < n; i++) {
            mean += x[xOffset + i];
        }
        mean /= n;
        FloatVector squares = FloatVector.zero(F32);
        for (i = 0; i < Simd.bound(n); i += LANES) {
            FloatVector v = FloatVector.fromArray(F32, x, xOffset + i).sub(mean);
            squares = v.fma(v, squares);
        }
        float sum = Simd.sum(squares);
        for (; i < n; i++) {
            float v = x[xOffset + i] - mean;
            sum = Math.fma(v, v, sum);
        }
        scaleShift(x, xOffset, mean, inverseSqrt(sum / n + eps), weight, bias, from, n, out, outOffset);
    }

    private static float inverseSqrt(float v) {
        return (float) (1 / Math.sqrt(v));
    }

    /** {@code out = (x - mean) * scale * weight + bias}. */
    private static void scaleShift(
            float[] x,
            int xOffset,
            float mean,
            float scale,
            float[] weight,
            float[] bias,
            int from,
            int n,
            float[] out,
            int outOffset) {
        int i = 0;
        for (; i < Simd.bound(n); i += LANES) {
            FloatVector v = FloatVector.fromArray(F32, x, xOffset + i)
                    .sub(mean)
                    .mul(scale)
                    .mul(FloatVector.fromArray(F32, weight, from + i));
            v = bias == null ? v : v.add(FloatVector.fromArray(F32, bias, from + i));
            v.intoArray(out, outOffset + i);
        }
        for (; i < n; i++) {
            float v = (x[xOffset + i] - mean) * scale * weight[from + i];
            out[outOffset + i] = bias == null ? v : v + bias[from + i];
        }
    }

    /** {@code x += y} over n floats. */
    public static void add(float[] x, int xOffset, float[] y, int yOffset, int n) {
        int i = 0;
        for (; i < Simd.bound(n); i += LANES) {
            FloatVector.fromArray(F32, x, xOffset + i)
                    .add(FloatVector.fromArray(F32, y, yOffset + i))
                    .intoArray(x, xOffset + i);
        }
        for (; i < n; i++) {
            x[xOffset + i] += y[yOffset + i];
        }
    }

    /** {@code x *= sigmoid(gate)} over n floats. */
    public static void gateBySigmoid(float[] x, int xOffset, float[] gate, int gateOffset, int n) {
        for (int i = 0; i < n; i += LANES) {
            VectorMask<Float> mask = F32.indexInRange(i, n);
            FloatVector g = FloatVector.fromArray(F32, gate, gateOffset + i, mask);
            FloatVector v = FloatVector.fromArray(F32, x, xOffset + i, mask);
            v.div(Simd.exp(g.neg()).add(1f)).intoArray(x, xOffset + i, mask);
        }
    }

    /** {@code gate = silu(gate) * up} over n floats, with {@code silu(z) = z * sigmoid(z)}. */
    public static void siluTimes(float[] gate, int gateOffset, float[] up, int upOffset, int n) {
        for (int i = 0; i < n; i += LANES) {
            VectorMask<Float> mask = F32.indexInRange(i, n);
            FloatVector z = FloatVector.fromArray(F32, gate, gateOffset + i, mask);
            FloatVector u = FloatVector.fromArray(F32, up, upOffset + i, mask);
            z.div(Simd.exp(z.neg()).add(1f)).mul(u).intoArray(gate, gateOffset + i, mask);
        }
    }

    /** {@code x = e^x} over n floats, within the bounds of {@link Simd#exp}. */
    public static void exp(float[] x, int offset, int n) {
        for (int i = 0; i < n; i += LANES) {
            VectorMask<Float> mask = F32.indexInRange(i, n);
            Simd.exp(FloatVector.fromArray(F32, x, offset + i, mask)).intoArray(x, offset + i, mask);
        }
    }

    /** {@code x = silu(x)} over n floats. */
    public static void silu(float[] x, int offset, int n) {
        for (int i = 0; i < n; i += LANES) {
            VectorMask<Float> mask = F32.indexInRange(i, n);
            FloatVector z = FloatVector.fromArray(F32, x, offset + i, mask);
            z.div(Simd.exp(z.neg()).add(1f)).intoArray(x, offset + i, mask);
        }
    }

    /** {@code x = cap * tanh(x / cap)} over n floats; a cap of 0 leaves x as it is. */
    public static void softCap(float[] x, int offset, int n, float cap) {
        if (cap == 0) {
            return;
        }
        for (int i = 0; i < n; i += LANES) {
            VectorMask<Float> mask = F32.indexInRange(i, n);
            FloatVector v = FloatVector.fromArray(F32, x, offset + i, mask);
            // tanh(t) = sign(t) (1 - e^(-2|t|)) / (1 + e^(-2|t|))
            FloatVector e = Simd.exp(v.abs().mul(-2 / cap));
            FloatVector magnitude = e.neg().add(1f).div(e.add(1f)).mul(cap);
            magnitude.blend(magnitude.neg(), v.lt(0f)).intoArray(x, offset + i, mask);
        }
    }
}
