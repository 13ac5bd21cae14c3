package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * IEEE half-precision weights. The Vector API has no conversion from them, but the compiler turns a plain loop over
 * {@link Float#float16ToFloat} into the machine's: so rows are unpacked to scratch memory that stays in the cache.
 */
final class F16Matrix extends PlainMatrix {

    /** Columns of four rows unpacked at once; the four sums are kept in scratch memory behind them. */
    private static final int STRETCH = 1024;

    private static final Trial DOTS = new Trial();

    F16Matrix(MemorySegment data, int rows, int columns) {
        super(data, 2, rows, columns, DOTS);
    }

    @Override
    public String format() {
        return "f16";
    }

    @Override
    protected WeightMatrix of(MemorySegment rowsOfIt, int count) {
        return new F16Matrix(rowsOfIt, count, columns);
    }

    @Override
    public void unpack(int row, int column, int count, float[] out, int offset) {
        Simd.halves(data, at(row, column), count, out, offset);
    }

    @Override
    protected void dots(float[] x, int k, float[] y, int from, int to, float[] scratch) {
        int sums = 4 * STRETCH;
        for (int r = from; r < to; r += 4) {
            int rows = Math.min(4, to - r);
            Arrays.fill(scratch, sums, sums + 4 * LANES, 0f);
            for (int column = 0; column < k; column += STRETCH) {
                int count = Math.min(STRETCH, k - column);
                for (int i = 0; i < rows; i++) {
                    unpack(r + i, column, count, scratch, i * STRETCH);
                }
                dots4(scratch, x, column, count, sums);
            }
            for (int i = 0; i < rows; i++) {
                y[r + i] = Simd.sum(FloatVector.fromArray(F32, scratch, sums + i * LANES));
            }
        }
    }

    private static void dots4(float[] w, float[] x, int column, int k, int sums) {
        FloatVector s0 = FloatVector.fromArray(F32, w, sums);
        FloatVector s1 = FloatVector.fromArray(F32, w, sums + LANES);
        FloatVector s2 = FloatVector.fromArray(F32, w, sums + 2 * LANES);
        FloatVector s3 = FloatVector.fromArray(F32, w, sums + 3 * LANES);
        for (int i = 0; i < k; i += LANES) {
            FloatVector v = FloatVector.fromArray(F32, x, column + i);
            s0 = FloatVector.fromArray(F32, w, i).fma(v, s0);
            s1 = FloatVector.fromArray(F32, w, STRETCH + i).fma(v, s1);
            s2 = FloatVector.fromArray(F32, w, 2 * STRETCH + i).fma(v, s2);
            s3 = FloatVector.fromArray(F32, w, 3 * STRETCH + i).fma(v, s3);
        }
        s0.intoArray(w, sums);
        s1.intoArray(w, sums + LANES);
        s2.intoArray(w, sums + 2 * LANES);
        s3.intoArray(w, sums + 3 * LANES);
    }
}
