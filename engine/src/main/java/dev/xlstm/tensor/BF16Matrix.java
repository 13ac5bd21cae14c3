package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** bfloat16 weights: the upper half of a float32. */
final class BF16Matrix extends WeightMatrix {

    private final MemorySegment data; // [rows, columns]

    BF16Matrix(MemorySegment data, int rows, int columns) {
        super(rows, columns);
        this.data = data;
    }

    @Override
    public String format() {
        return "bf16";
    }

    @Override
    public long byteSize() {
        return data.byteSize();
    }

    @Override
    public WeightMatrix slice(int from, int to) {
        long rowBytes = 2L * columns;
        return new BF16Matrix(data.asSlice(from * rowBytes, (to - from) * rowBytes), to - from, columns);
    }

    @Override
    public void unpack(int row, int column, int count, float[] out, int offset) {
        long base = 2L * ((long) row * columns + column);
        int i = 0;
        for (; i < Simd.bound(count); i += LANES) {
            load(data, base + 2L * i).intoArray(out, offset + i);
        }
        for (; i < count; i++) {
            out[offset + i] = scalar(data, base + 2L * i);
        }
    }

    @Override
    public void multiply(float[] x, float[] y, int from, int to, float[] scratch) {
        long rowBytes = 2L * columns;
        int quarter = (to - from) / 4;
        int r = from;
        for (; r < from + quarter; r++) {
            dots4(data, r * rowBytes, quarter * rowBytes, x, columns, y, r, quarter);
        }
        for (r = from + 4 * quarter; r < to; r++) {
            dot(data, r * rowBytes, x, columns, y, r);
        }
        for (r = from; columns % LANES != 0 && r < to; r++) {
            for (int i = Simd.bound(columns); i < columns; i++) {
                y[r] = Math.fma(scalar(data, r * rowBytes + 2L * i), x[i], y[r]);
            }
        }
    }

    /**
     * Whole vectors of 4 rows at once, {@code apart} from each other: each load of x serves four, and row after row memory is
     * read in four long streams. Kept to the bare loop, as the compiler gives up on inlining in large methods, and a vector
     * it cannot inline is an object.
     */
    private static void dots4(
            MemorySegment w, long w0, long bytesApart, float[] x, int k, float[] y, int r, int apart) {
        long w1 = w0 + bytesApart, w2 = w1 + bytesApart, w3 = w2 + bytesApart;
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0;
        int bound = Simd.bound(k);
        for (int i = 0; i < bound; i += LANES) {
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
        int bound = Simd.bound(k);
        for (int i = 0; i < bound; i += LANES) {
            s = load(w, base + 2L * i).fma(FloatVector.fromArray(F32, x, i), s);
        }
        y[r] = Simd.sum(s);
    }

    private static FloatVector load(MemorySegment w, long at) {
        return Simd.shorts(w, at).lanewise(VectorOperators.LSHL, 16).viewAsFloatingLanes();
    }

    private static float scalar(MemorySegment w, long at) {
        return Float.intBitsToFloat(w.get(Simd.SHORT, at) << 16);
    }
}
