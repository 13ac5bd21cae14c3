package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
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

    private static final KernelWarmup ONE_ROW = new KernelWarmup(4);
    private static final KernelWarmup FEW_ROWS = new KernelWarmup(3);

    F16Matrix(MemorySegment data, int rows, int columns) {
        super(data, 2, rows, columns, ONE_ROW, FEW_ROWS);
    }

    @Override
    public WeightFormat format() {
        return WeightFormat.F16;
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

    @Override
    protected void dots3x8(int r0, int r1, int r2, MemorySegment x, long xAt, int k, float[] scratch) {
        int sums = 3 * STRETCH;
        Arrays.fill(scratch, sums, sums + 24 * LANES, 0f);
        for (int column = 0; column < k; column += STRETCH) {
            int count = Math.min(STRETCH, k - column);
            unpack(r0, column, count, scratch, 0);
            unpack(r1, column, count, scratch, STRETCH);
            unpack(r2, column, count, scratch, 2 * STRETCH);
            dots3x8(scratch, x, xAt + 32L * column, count, sums);
        }
        System.arraycopy(scratch, sums, scratch, 0, 24 * LANES);
    }

    private static void dots3x8(float[] w, MemorySegment x, long xAt, int k, int sums) {
        FloatVector a0 = FloatVector.fromArray(F32, w, sums + 0 * LANES);
        FloatVector a1 = FloatVector.fromArray(F32, w, sums + 1 * LANES);
        FloatVector a2 = FloatVector.fromArray(F32, w, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(F32, w, sums + 3 * LANES);
        FloatVector a4 = FloatVector.fromArray(F32, w, sums + 4 * LANES);
        FloatVector a5 = FloatVector.fromArray(F32, w, sums + 5 * LANES);
        FloatVector a6 = FloatVector.fromArray(F32, w, sums + 6 * LANES);
        FloatVector a7 = FloatVector.fromArray(F32, w, sums + 7 * LANES);
        FloatVector b0 = FloatVector.fromArray(F32, w, sums + 8 * LANES);
        FloatVector b1 = FloatVector.fromArray(F32, w, sums + 9 * LANES);
        FloatVector b2 = FloatVector.fromArray(F32, w, sums + 10 * LANES);
        FloatVector b3 = FloatVector.fromArray(F32, w, sums + 11 * LANES);
        FloatVector b4 = FloatVector.fromArray(F32, w, sums + 12 * LANES);
        FloatVector b5 = FloatVector.fromArray(F32, w, sums + 13 * LANES);
        FloatVector b6 = FloatVector.fromArray(F32, w, sums + 14 * LANES);
        FloatVector b7 = FloatVector.fromArray(F32, w, sums + 15 * LANES);
        FloatVector c0 = FloatVector.fromArray(F32, w, sums + 16 * LANES);
        FloatVector c1 = FloatVector.fromArray(F32, w, sums + 17 * LANES);
        FloatVector c2 = FloatVector.fromArray(F32, w, sums + 18 * LANES);
        FloatVector c3 = FloatVector.fromArray(F32, w, sums + 19 * LANES);
        FloatVector c4 = FloatVector.fromArray(F32, w, sums + 20 * LANES);
        FloatVector c5 = FloatVector.fromArray(F32, w, sums + 21 * LANES);
        FloatVector c6 = FloatVector.fromArray(F32, w, sums + 22 * LANES);
        FloatVector c7 = FloatVector.fromArray(F32, w, sums + 23 * LANES);
        for (int i = 0; i < k; i += LANES) {
            FloatVector w0 = FloatVector.fromArray(F32, w, i);
            FloatVector w1 = FloatVector.fromArray(F32, w, STRETCH + i);
            FloatVector w2 = FloatVector.fromArray(F32, w, 2 * STRETCH + i);
            long eight = xAt + 32L * i;
            FloatVector u = FloatVector.fromMemorySegment(F32, x, eight, ByteOrder.LITTLE_ENDIAN);
            a0 = w0.fma(u, a0);
            b0 = w1.fma(u, b0);
            c0 = w2.fma(u, c0);
            u = FloatVector.fromMemorySegment(F32, x, eight + 4 * LANES, ByteOrder.LITTLE_ENDIAN);
            a1 = w0.fma(u, a1);
            b1 = w1.fma(u, b1);
            c1 = w2.fma(u, c1);
            u = FloatVector.fromMemorySegment(F32, x, eight + 8 * LANES, ByteOrder.LITTLE_ENDIAN);
            a2 = w0.fma(u, a2);
            b2 = w1.fma(u, b2);
            c2 = w2.fma(u, c2);
            u = FloatVector.fromMemorySegment(F32, x, eight + 12 * LANES, ByteOrder.LITTLE_ENDIAN);
            a3 = w0.fma(u, a3);
            b3 = w1.fma(u, b3);
            c3 = w2.fma(u, c3);
            u = FloatVector.fromMemorySegment(F32, x, eight + 16 * LANES, ByteOrder.LITTLE_ENDIAN);
            a4 = w0.fma(u, a4);
            b4 = w1.fma(u, b4);
            c4 = w2.fma(u, c4);
            u = FloatVector.fromMemorySegment(F32, x, eight + 20 * LANES, ByteOrder.LITTLE_ENDIAN);
            a5 = w0.fma(u, a5);
            b5 = w1.fma(u, b5);
            c5 = w2.fma(u, c5);
            u = FloatVector.fromMemorySegment(F32, x, eight + 24 * LANES, ByteOrder.LITTLE_ENDIAN);
            a6 = w0.fma(u, a6);
            b6 = w1.fma(u, b6);
            c6 = w2.fma(u, c6);
            u = FloatVector.fromMemorySegment(F32, x, eight + 28 * LANES, ByteOrder.LITTLE_ENDIAN);
            a7 = w0.fma(u, a7);
            b7 = w1.fma(u, b7);
            c7 = w2.fma(u, c7);
        }
        a0.intoArray(w, sums + 0 * LANES);
        a1.intoArray(w, sums + 1 * LANES);
        a2.intoArray(w, sums + 2 * LANES);
        a3.intoArray(w, sums + 3 * LANES);
        a4.intoArray(w, sums + 4 * LANES);
        a5.intoArray(w, sums + 5 * LANES);
        a6.intoArray(w, sums + 6 * LANES);
        a7.intoArray(w, sums + 7 * LANES);
        b0.intoArray(w, sums + 8 * LANES);
        b1.intoArray(w, sums + 9 * LANES);
        b2.intoArray(w, sums + 10 * LANES);
        b3.intoArray(w, sums + 11 * LANES);
        b4.intoArray(w, sums + 12 * LANES);
        b5.intoArray(w, sums + 13 * LANES);
        b6.intoArray(w, sums + 14 * LANES);
        b7.intoArray(w, sums + 15 * LANES);
        c0.intoArray(w, sums + 16 * LANES);
        c1.intoArray(w, sums + 17 * LANES);
        c2.intoArray(w, sums + 18 * LANES);
        c3.intoArray(w, sums + 19 * LANES);
        c4.intoArray(w, sums + 20 * LANES);
        c5.intoArray(w, sums + 21 * LANES);
        c6.intoArray(w, sums + 22 * LANES);
        c7.intoArray(w, sums + 23 * LANES);
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
