package dev.xlstm.tensor;

import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * The layers without matrices, each over one row of activations. Plain loops where the compiler makes vectors of them; it
 * does not for exponentials.
 */
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
        float squares = squares(x, xOffset, n, 0);
        scaleShift(x, xOffset, 0, inverseSqrt(squares / n + eps), weight, bias, 0, n, out, outOffset);
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
        float mean = sum(x, xOffset, n) / n;
        float squares = squares(x, xOffset, n, mean);
        scaleShift(x, xOffset, mean, inverseSqrt(squares / n + eps), weight, bias, from, n, out, outOffset);
    }

    /** {@code Σ x}, in eight sums side by side, as one would wait for each addition. */
    private static float sum(float[] x, int offset, int n) {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        int i = offset;
        for (; i <= offset + n - 8; i += 8) {
            s0 += x[i];
            s1 += x[i + 1];
            s2 += x[i + 2];
            s3 += x[i + 3];
            s4 += x[i + 4];
            s5 += x[i + 5];
            s6 += x[i + 6];
            s7 += x[i + 7];
        }
        float sum = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
        for (; i < offset + n; i++) {
            sum += x[i];
        }
        return sum;
    }

    /** {@code Σ (x - mean)²}, likewise. */
    private static float squares(float[] x, int offset, int n, float mean) {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
        int i = offset;
        for (; i <= offset + n - 8; i += 8) {
            s0 = Math.fma(x[i] - mean, x[i] - mean, s0);
            s1 = Math.fma(x[i + 1] - mean, x[i + 1] - mean, s1);
            s2 = Math.fma(x[i + 2] - mean, x[i + 2] - mean, s2);
            s3 = Math.fma(x[i + 3] - mean, x[i + 3] - mean, s3);
            s4 = Math.fma(x[i + 4] - mean, x[i + 4] - mean, s4);
            s5 = Math.fma(x[i + 5] - mean, x[i + 5] - mean, s5);
            s6 = Math.fma(x[i + 6] - mean, x[i + 6] - mean, s6);
            s7 = Math.fma(x[i + 7] - mean, x[i + 7] - mean, s7);
        }
        float sum = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7));
        for (; i < offset + n; i++) {
            sum = Math.fma(x[i] - mean, x[i] - mean, sum);
        }
        return sum;
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
        for (int i = 0; i < n; i++) {
            out[outOffset + i] = (x[xOffset + i] - mean) * scale * weight[from + i];
        }
        for (int i = 0; bias != null && i < n; i++) {
            out[outOffset + i] += bias[from + i];
        }
    }

    /** {@code x += y} over n floats. */
    public static void add(float[] x, int xOffset, float[] y, int yOffset, int n) {
        for (int i = 0; i < n; i++) {
            x[xOffset + i] += y[yOffset + i];
        }
    }

    /** {@code x *= sigmoid(gate)} over n floats; with x itself as the gate that is {@code silu(x)}. */
    public static void gateBySigmoid(float[] x, int xOffset, float[] gate, int gateOffset, int n) {
        int i = 0;
        for (int bound = Simd.bound(n); i < bound; i += LANES) {
            FloatVector g = FloatVector.fromArray(F32, gate, gateOffset + i);
            FloatVector v = FloatVector.fromArray(F32, x, xOffset + i);
            v.div(Simd.exp(g.neg()).add(1f)).intoArray(x, xOffset + i);
        }
        for (; i < n; i++) {
            x[xOffset + i] /= Simd.exp(-gate[gateOffset + i]) + 1f;
        }
    }

    /** {@code gate = silu(gate) * up} over n floats, with {@code silu(z) = z * sigmoid(z)}. */
    public static void siluTimes(float[] gate, int gateOffset, float[] up, int upOffset, int n) {
        int i = 0;
        for (int bound = Simd.bound(n); i < bound; i += LANES) {
            FloatVector z = FloatVector.fromArray(F32, gate, gateOffset + i);
            FloatVector u = FloatVector.fromArray(F32, up, upOffset + i);
            z.div(Simd.exp(z.neg()).add(1f)).mul(u).intoArray(gate, gateOffset + i);
        }
        for (; i < n; i++) {
            float z = gate[gateOffset + i];
            gate[gateOffset + i] = z / (Simd.exp(-z) + 1f) * up[upOffset + i];
        }
    }

    /** {@code x = e^x} over n floats, within the bounds of {@link Simd#exp}. */
    public static void exp(float[] x, int offset, int n) {
        int i = 0;
        for (int bound = Simd.bound(n); i < bound; i += LANES) {
            Simd.exp(FloatVector.fromArray(F32, x, offset + i)).intoArray(x, offset + i);
        }
        for (; i < n; i++) {
            x[offset + i] = Simd.exp(x[offset + i]);
        }
    }

    /** {@code x = cap * tanh(x / cap)} over n floats; a cap of 0 leaves x as it is. */
    public static void softCap(float[] x, int offset, int n, float cap) {
        if (cap == 0) {
            return;
        }
        int i = 0;
        for (int bound = Simd.bound(n); i < bound; i += LANES) {
            FloatVector v = FloatVector.fromArray(F32, x, offset + i);
            // tanh(t) = sign(t) (1 - e^(-2|t|)) / (1 + e^(-2|t|))
            FloatVector e = Simd.exp(v.abs().mul(-2 / cap));
            FloatVector magnitude = e.neg().add(1f).div(e.add(1f)).mul(cap);
            magnitude.blend(magnitude.neg(), v.lt(0f)).intoArray(x, offset + i);
        }
        for (; i < n; i++) {
            float e = Simd.exp(Math.abs(x[offset + i]) * (-2 / cap));
            float magnitude = (-e + 1f) / (e + 1f) * cap;
            x[offset + i] = x[offset + i] < 0 ? -magnitude : magnitude;
        }
    }
}
