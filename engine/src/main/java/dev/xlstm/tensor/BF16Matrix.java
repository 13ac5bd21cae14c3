package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** bfloat16 weights: the upper half of a float32. */
final class BF16Matrix extends PlainMatrix {

    private static final Trial DOTS = new Trial();

    BF16Matrix(MemorySegment data, int rows, int columns) {
        super(data, 2, rows, columns, DOTS);
    }

    @Override
    public String format() {
        return "bf16";
    }

    @Override
    protected WeightMatrix of(MemorySegment rowsOfIt, int count) {
        return new BF16Matrix(rowsOfIt, count, columns);
    }

    @Override
    public void unpack(int row, int column, int count, float[] out, int offset) {
        long base = at(row, column);
        int i = 0;
        if (count > 0) {
            Simd.mayFault(data, base);
        }
        for (int bound = Simd.bound(count); i < bound; i += LANES) {
            load(data, base + 2L * i).intoArray(out, offset + i);
        }
        for (; i < count; i++) {
            out[offset + i] = Float.intBitsToFloat(data.get(Simd.SHORT, base + 2L * i) << 16);
        }
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
            long at = 2L * i;
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
            s = load(w, base + 2L * i).fma(FloatVector.fromArray(F32, x, i), s);
        }
        y[r] = Simd.sum(s);
    }

    private static FloatVector load(MemorySegment w, long at) {
        return Simd.shorts(w, at).lanewise(VectorOperators.LSHL, 16).viewAsFloatingLanes();
    }
}
