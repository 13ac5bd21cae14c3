package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * IEEE half-precision weights. The Vector API has no conversion from them, but the compiler turns a plain loop over
 * {@link Float#float16ToFloat} into the machine's: so rows are unpacked to scratch memory that stays in the cache.
 */
final class F16Matrix extends WeightMatrix {

    private final MemorySegment data; // [rows, columns]

    F16Matrix(MemorySegment data, int rows, int columns) {
        super(rows, columns);
        this.data = data;
    }

    @Override
    public String format() {
        return "f16";
    }

    @Override
    public long byteSize() {
        return data.byteSize();
    }

    @Override
    public WeightMatrix slice(int from, int to) {
        long rowBytes = 2L * columns;
        return new F16Matrix(data.asSlice(from * rowBytes, (to - from) * rowBytes), to - from, columns);
    }

    @Override
    public void unpack(int row, int column, int count, float[] out, int offset) {
        Simd.halves(data, 2L * ((long) row * columns + column), count, out, offset);
    }

    @Override
    public void multiply(float[] x, float[] y, int from, int to, float[] scratch) {
        for (int r = from; r < to; r++) {
            float sum = 0;
            for (int column = 0; column < columns; column += SCRATCH_FLOATS) {
                int count = Math.min(SCRATCH_FLOATS, columns - column);
                unpack(r, column, count, scratch, 0);
                sum += dot(scratch, x, column, count);
            }
            y[r] = sum;
        }
    }

    private static float dot(float[] w, float[] x, int xo, int k) {
        FloatVector s = FloatVector.zero(F32);
        FloatVector t = s;
        int i = 0;
        for (; i + 2 * LANES <= k; i += 2 * LANES) {
            s = FloatVector.fromArray(F32, w, i).fma(FloatVector.fromArray(F32, x, xo + i), s);
            t = FloatVector.fromArray(F32, w, i + LANES).fma(FloatVector.fromArray(F32, x, xo + i + LANES), t);
        }
        float sum = Simd.sum(s.add(t));
        for (; i < k; i++) {
            sum = Math.fma(w[i], x[xo + i], sum);
        }
        return sum;
    }
}
