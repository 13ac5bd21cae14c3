package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** float32 weights. */
final class F32Matrix extends PlainMatrix {

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final KernelWarmup ONE_ROW = new KernelWarmup(4);
    private static final KernelWarmup FEW_ROWS = new KernelWarmup(3);

    F32Matrix(MemorySegment data, int rows, int columns) {
        super(data, 4, rows, columns, ONE_ROW, FEW_ROWS);
    }

    @Override
    public WeightFormat format() {
        return WeightFormat.F32;
    }

    @Override
    protected WeightMatrix of(MemorySegment rowsOfIt, int count) {
        return new F32Matrix(rowsOfIt, count, columns);
    }

    @Override
    public void unpack(int row, int column, int count, float[] out, int offset) {
        MemorySegment.copy(data, FLOAT, at(row, column), out, offset, count);
    }

    @Override
    protected void dots(float[] x, int k, float[] y, int from, int to, float[] scratch) {
        int quarter = (to - from) / 4;
        int r = from;
        for (; r < from + quarter; r++) {
            dots4(data, at(r, 0), at(quarter, 0), x, k, y, r, quarter);
        }
        for (r = from + 4 * quarter; r < to; r++) {
            dot(data, at(r, 0), x, k, y, r);
        }
    }

    private static void dots4(
            MemorySegment w, long w0, long bytesApart, float[] x, int k, float[] y, int r, int apart) {
        long w1 = w0 + bytesApart, w2 = w1 + bytesApart, w3 = w2 + bytesApart;
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0;
        Simd.mayFault(w, w0);
        for (int i = 0; i < k; i += LANES) {
            FloatVector v = FloatVector.fromArray(F32, x, i);
            long at = 4L * i;
            s0 = load(w, w0 + at).fma(v, s0);
            s1 = load(w, w1 + at).fma(v, s1);
            s2 = load(w, w2 + at).fma(v, s2);
            s3 = load(w, w3 + at).fma(v, s3);
        }
        y[r] = Simd.sum(s0);
        y[r + apart] = Simd.sum(s1);
        y[r + 2 * apart] = Simd.sum(s2);
        y[r + 3 * apart] = Simd.sum(s3);
    }

    private static void dot(MemorySegment w, long base, float[] x, int k, float[] y, int r) {
        FloatVector s = FloatVector.zero(F32);
        Simd.mayFault(w, base);
        for (int i = 0; i < k; i += LANES) {
            s = load(w, base + 4L * i).fma(FloatVector.fromArray(F32, x, i), s);
        }
        y[r] = Simd.sum(s);
    }

    @Override
    protected void dots3x8(int r0, int r1, int r2, MemorySegment x, long xAt, int k, float[] scratch) {
        dots3x8(data, at(r0, 0), at(r1, 0), at(r2, 0), x, xAt, k, scratch);
    }

    private static void dots3x8(
            MemorySegment w, long w0, long w1, long w2, MemorySegment x, long xAt, int k, float[] sums) {
        FloatVector a0 = FloatVector.zero(F32), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
        FloatVector b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0, b6 = a0, b7 = a0;
        FloatVector c0 = a0, c1 = a0, c2 = a0, c3 = a0, c4 = a0, c5 = a0, c6 = a0, c7 = a0;
        Simd.mayFault(w, w0);
        for (int i = 0; i < k; i += LANES) {
            long at = 4L * i;
            FloatVector v0 = load(w, w0 + at);
            FloatVector v1 = load(w, w1 + at);
            FloatVector v2 = load(w, w2 + at);
            long eight = xAt + 32L * i;
            FloatVector u = FloatVector.fromMemorySegment(F32, x, eight, ByteOrder.LITTLE_ENDIAN);
            a0 = v0.fma(u, a0);
            b0 = v1.fma(u, b0);
            c0 = v2.fma(u, c0);
            u = FloatVector.fromMemorySegment(F32, x, eight + 4 * LANES, ByteOrder.LITTLE_ENDIAN);
            a1 = v0.fma(u, a1);
            b1 = v1.fma(u, b1);
            c1 = v2.fma(u, c1);
            u = FloatVector.fromMemorySegment(F32, x, eight + 8 * LANES, ByteOrder.LITTLE_ENDIAN);
            a2 = v0.fma(u, a2);
            b2 = v1.fma(u, b2);
            c2 = v2.fma(u, c2);
            u = FloatVector.fromMemorySegment(F32, x, eight + 12 * LANES, ByteOrder.LITTLE_ENDIAN);
            a3 = v0.fma(u, a3);
            b3 = v1.fma(u, b3);
            c3 = v2.fma(u, c3);
            u = FloatVector.fromMemorySegment(F32, x, eight + 16 * LANES, ByteOrder.LITTLE_ENDIAN);
            a4 = v0.fma(u, a4);
            b4 = v1.fma(u, b4);
            c4 = v2.fma(u, c4);
            u = FloatVector.fromMemorySegment(F32, x, eight + 20 * LANES, ByteOrder.LITTLE_ENDIAN);
            a5 = v0.fma(u, a5);
            b5 = v1.fma(u, b5);
            c5 = v2.fma(u, c5);
            u = FloatVector.fromMemorySegment(F32, x, eight + 24 * LANES, ByteOrder.LITTLE_ENDIAN);
            a6 = v0.fma(u, a6);
            b6 = v1.fma(u, b6);
            c6 = v2.fma(u, c6);
            u = FloatVector.fromMemorySegment(F32, x, eight + 28 * LANES, ByteOrder.LITTLE_ENDIAN);
            a7 = v0.fma(u, a7);
            b7 = v1.fma(u, b7);
            c7 = v2.fma(u, c7);
        }
        a0.intoArray(sums, 0);
        a1.intoArray(sums, 1 * LANES);
        a2.intoArray(sums, 2 * LANES);
        a3.intoArray(sums, 3 * LANES);
        a4.intoArray(sums, 4 * LANES);
        a5.intoArray(sums, 5 * LANES);
        a6.intoArray(sums, 6 * LANES);
        a7.intoArray(sums, 7 * LANES);
        b0.intoArray(sums, 8 * LANES);
        b1.intoArray(sums, 9 * LANES);
        b2.intoArray(sums, 10 * LANES);
        b3.intoArray(sums, 11 * LANES);
        b4.intoArray(sums, 12 * LANES);
        b5.intoArray(sums, 13 * LANES);
        b6.intoArray(sums, 14 * LANES);
        b7.intoArray(sums, 15 * LANES);
        c0.intoArray(sums, 16 * LANES);
        c1.intoArray(sums, 17 * LANES);
        c2.intoArray(sums, 18 * LANES);
        c3.intoArray(sums, 19 * LANES);
        c4.intoArray(sums, 20 * LANES);
        c5.intoArray(sums, 21 * LANES);
        c6.intoArray(sums, 22 * LANES);
        c7.intoArray(sums, 23 * LANES);
    }

    private static FloatVector load(MemorySegment w, long at) {
        return FloatVector.fromMemorySegment(F32, w, at, ByteOrder.LITTLE_ENDIAN);
    }
}
