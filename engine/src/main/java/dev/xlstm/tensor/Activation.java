package dev.xlstm.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

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
     * {@code gelu(z) = z Φ(z)}, the exact form, not the one with tanh. Below 0, Φ is half the complementary error function
     * of |z|/√2, for which Abramowitz and Stegun 7.1.26 is good to 1.5e-7.
     */
    private static void geluTimes(float[] gate, int gateAt, float[] up, int upAt, int n) {
        FloatVector one = FloatVector.broadcast(F32, 1);
        for (int i = 0; i < n; i += LANES) {
            VectorMask<Float> mask = F32.indexInRange(i, n);
            FloatVector z = FloatVector.fromArray(F32, gate, gateAt + i, mask);
            FloatVector a = z.abs().mul(0.70710678f);
            FloatVector t = one.div(a.mul(0.3275911f).add(1f));
            FloatVector p = t.mul(1.061405429f).sub(1.453152027f);
            p = p.fma(t, FloatVector.broadcast(F32, 1.421413741f));
            p = p.fma(t, FloatVector.broadcast(F32, -0.284496736f));
            p = p.fma(t, FloatVector.broadcast(F32, 0.254829592f));
            FloatVector tail = p.mul(t).mul(Simd.exp(a.mul(a).neg())).mul(0.5f);
            FloatVector phi = one.sub(tail).blend(tail, z.lt(0f));
            FloatVector u = FloatVector.fromArray(F32, up, upAt + i, mask);
            z.mul(phi).mul(u).intoArray(gate, gateAt + i, mask);
        }
    }
}
