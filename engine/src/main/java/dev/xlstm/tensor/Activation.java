package dev.xlstm.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** The activation functions of gated feed-forward layers. */
public enum Activation {
    SILU("swish"),
    GELU("gelu"),
    RELU("relu"),
    RELU_SQUARED("relu^2"),
    SIGMOID("sigmoid"),
    SELU("selu");

    private final String configName;

    Activation(String configName) {
        this.configName = configName;
    }

    /** The function of a name as configs write it. */
    public static Optional<Activation> named(String name) {
        return Arrays.stream(values()).filter(a -> a.configName.equals(name)).findFirst();
    }

    public static List<String> names() {
        return Arrays.stream(values()).map(a -> a.configName).toList();
    }

    /** {@code gate = activation(gate) * up} over n floats. */
    public void times(float[] gate, int gateAt, float[] up, int upAt, int n) {
        switch (this) {
            case SILU -> Elementwise.siluTimes(gate, gateAt, up, upAt, n);
            case GELU -> geluTimes(gate, gateAt, up, upAt, n);
            default -> {
                for (int i = 0; i < n; i++) {
                    gate[gateAt + i] = of(gate[gateAt + i]) * up[upAt + i];
                }
            }
        }
    }

    /** The rarer ones, one number at a time. */
    private float of(float z) {
        return switch (this) {
            case RELU -> Math.max(z, 0);
            case RELU_SQUARED -> Math.max(z, 0) * Math.max(z, 0);
            case SIGMOID -> (float) (1 / (1 + Math.exp(-z)));
            case SELU -> (float) (1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * Math.expm1(z)));
            default -> throw new AssertionError(this + " has a loop of its own");
        };
    }

    /**
     * {@code gelu(z) = z Φ(z)}, the exact form, not the one with tanh. Φ's tail beyond |z| is half the complementary error
     * function of |z|/√2, for which Abramowitz and Stegun 7.1.26 is good to 1.5e-7.
     */
    private static void geluTimes(float[] gate, int gateAt, float[] up, int upAt, int n) {
        int i = 0;
        for (int bound = Simd.bound(n); i < bound; i += LANES) {
            FloatVector z = FloatVector.fromArray(F32, gate, gateAt + i);
            FloatVector a = z.abs().mul(0.70710678f);
            FloatVector t = FloatVector.broadcast(F32, 1).div(a.mul(0.3275911f).add(1f));
            FloatVector p = t.mul(1.061405429f).sub(1.453152027f);
            p = p.fma(t, FloatVector.broadcast(F32, 1.421413741f));
            p = p.fma(t, FloatVector.broadcast(F32, -0.284496736f));
            p = p.fma(t, FloatVector.broadcast(F32, 0.254829592f));
            FloatVector tail = p.mul(t).mul(Simd.exp(a.mul(a).neg())).mul(0.5f);
            // z Φ(z) = max(z, 0) - |z| times the tail beyond |z|
            FloatVector gelu = z.max(0f).sub(z.abs().mul(tail));
            gelu.mul(FloatVector.fromArray(F32, up, upAt + i)).intoArray(gate, gateAt + i);
        }
        for (; i < n; i++) {
            float z = gate[gateAt + i];
            float a = Math.abs(z) * 0.70710678f;
            float t = 1 / (a * 0.3275911f + 1f);
            float p = t * 1.061405429f - 1.453152027f;
            p = Math.fma(p, t, 1.421413741f);
            p = Math.fma(p, t, -0.284496736f);
            p = Math.fma(p, t, 0.254829592f);
            float tail = p * t * Simd.exp(-(a * a)) * 0.5f;
            gate[gateAt + i] = (Math.max(z, 0) - Math.abs(z) * tail) * up[upAt + i];
        }
    }
}
