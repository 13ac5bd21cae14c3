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

    private static final Trial DOTS = new Trial();

    F32Matrix(MemorySegment data, int rows, int columns) {
        super(data, 4, rows, columns, DOTS);
    }

    @Override
    public String format() {
        return "f32";
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

    private static FloatVector load(MemorySegment w, long at) {
        return FloatVector.fromMemorySegment(F32, w, at, ByteOrder.LITTLE_ENDIAN);
    }
}
