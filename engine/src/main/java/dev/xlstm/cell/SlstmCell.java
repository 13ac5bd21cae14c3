package dev.xlstm.cell;

import dev.xlstm.tensor.Simd;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * The sLSTM cell (Beck et al. 2024, arXiv 2405.04517, in the stabilised form), unit by unit. With the pre-activations i, f,
 * z and o, in which the recurrent part and the bias are contained:
 *
 * <pre>
 * l  = logsigmoid(f) + m           m' = max(i, l), or i where nothing has been read (n = 0)
 * c' = min(e^(l - m'), 1) c + min(e^(i - m'), 1) tanh(z)        n' = the same with 1 for tanh(z)
 * y  = sigmoid(o) c' / n'
 * </pre>
 */
public final class SlstmCell {

    /** Gates i, f, z, o, in this order. */
    public static final int GATES = 4;

    private SlstmCell() {}

    /**
     * Feeds one step to {@code count} units.
     *
     * @param memory holds c, n and m of the units at bytes {@code cAt}, {@code nAt}, {@code mAt}
     * @param i what the input contributes to the gate of a unit, the first at {@code at}; f, z and o likewise
     * @param recurrent what the units' last outputs contribute: gate g of the first unit at {@code g * size + recurrentAt}
     * @param bias at the same places
     * @param y receives the output of the first unit at {@code yAt}
     */
    public static void step(
            MemorySegment memory,
            long cAt,
            long nAt,
            long mAt,
            float[] i,
            float[] f,
            float[] z,
            float[] o,
            int at,
            float[] recurrent,
            float[] bias,
            int recurrentAt,
            int size,
            float[] y,
            int yAt,
            int count) {
        for (int u = 0; u < count; u += LANES) {
            VectorMask<Float> mask = F32.indexInRange(u, count);
            int r = recurrentAt + u;
            FloatVector input = sum(i, at + u, recurrent, bias, r, mask);
            FloatVector forget = sum(f, at + u, recurrent, bias, r + size, mask);
            FloatVector value = tanh(sum(z, at + u, recurrent, bias, r + 2 * size, mask));
            FloatVector output = sum(o, at + u, recurrent, bias, r + 3 * size, mask);
            FloatVector c = load(memory, cAt + 4L * u, mask);
            FloatVector n = load(memory, nAt + 4L * u, mask);
            FloatVector m = load(memory, mAt + 4L * u, mask);

            FloatVector kept = logSigmoid(forget).add(m);
            FloatVector mNew = input.max(kept).blend(input, n.eq(0f));
            FloatVector forgetWeight = Simd.exp(kept.sub(mNew).min(0f));
            FloatVector inputWeight = Simd.exp(input.sub(mNew).min(0f));
            c = forgetWeight.mul(c).add(inputWeight.mul(value));
            n = forgetWeight.mul(n).add(inputWeight);
            store(c, memory, cAt + 4L * u, mask);
            store(n, memory, nAt + 4L * u, mask);
            store(mNew, memory, mAt + 4L * u, mask);
            c.div(n).div(Simd.exp(output.neg()).add(1f)).intoArray(y, yAt + u, mask);
        }
    }

    private static FloatVector sum(float[] x, int at, float[] recurrent, float[] bias, int r, VectorMask<Float> mask) {
        return FloatVector.fromArray(F32, x, at, mask)
                .add(FloatVector.fromArray(F32, recurrent, r, mask))
                .add(FloatVector.fromArray(F32, bias, r, mask));
    }

    /** {@code min(x, 0) - log(1 + e^-|x|)}. */
    private static FloatVector logSigmoid(FloatVector x) {
        return x.min(0f).sub(Simd.log1p(Simd.exp(x.abs().neg())));
    }

    /** {@code sign(x) (1 - e^(-2|x|)) / (1 + e^(-2|x|))}. */
    private static FloatVector tanh(FloatVector x) {
        FloatVector e = Simd.exp(x.abs().mul(-2f));
        FloatVector magnitude = e.neg().add(1f).div(e.add(1f));
        return magnitude.blend(magnitude.neg(), x.lt(0f));
    }

    private static FloatVector load(MemorySegment memory, long at, VectorMask<Float> mask) {
        return FloatVector.fromMemorySegment(F32, memory, at, ByteOrder.nativeOrder(), mask);
    }

    private static void store(FloatVector v, MemorySegment memory, long at, VectorMask<Float> mask) {
        v.intoMemorySegment(memory, at, ByteOrder.nativeOrder(), mask);
    }
}
