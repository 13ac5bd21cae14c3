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
    protected void multiplyVector(float[] x, float[] y, int from, int to) {
        long rowBytes = 2L * columns;
        int r = from;
        for (; r + 4 <= to; r += 4) {
            dots4(data, r * rowBytes, rowBytes, x, columns, y, r);
        }
        for (; r < to; r++) {
            dot(data, r * rowBytes, x, columns, y, r);
        }
    }

    /** 4 rows at once: each load of x serves four, and memory has four streams to fetch. */
    private static void dots4(MemorySegment w, long w0, long rowBytes, float[] x, int k, float[] y, int r) {
        long w1 = w0 + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0;
        int i = 0;
        for (; i < Simd.bound(k); i += LANES) {
            FloatVector v = FloatVector.fromArray(F32, x, i);
            long at = 2L * i;
            s0 = load(w, w0 + at).fma(v, s0);
            s1 = load(w, w1 + at).fma(v, s1);
            s2 = load(w, w2 + at).fma(v, s2);
            s3 = load(w, w3 + at).fma(v, s3);
        }
        float y0 = Simd.sum(s0), y1 = Simd.sum(s1), y2 = Simd.sum(s2), y3 = Simd.sum(s3);
        for (; i < k; i++) {
            long at = 2L * i;
            y0 = Math.fma(scalar(w, w0 + at), x[i], y0);
            y1 = Math.fma(scalar(w, w1 + at), x[i], y1);
            y2 = Math.fma(scalar(w, w2 + at), x[i], y2);
            y3 = Math.fma(scalar(w, w3 + at), x[i], y3);
        }
        y[r] = y0;
        y[r + 1] = y1;
        y[r + 2] = y2;
        y[r + 3] = y3;
    }

    private static void dot(MemorySegment w, long base, float[] x, int k, float[] y, int r) {
        FloatVector s = FloatVector.zero(F32);
        int i = 0;
        for (; i < Simd.bound(k); i += LANES) {
            s = load(w, base + 2L * i).fma(FloatVector.fromArray(F32, x, i), s);
        }
        float sum = Simd.sum(s);
        for (; i < k; i++) {
            sum = Math.fma(scalar(w, base + 2L * i), x[i], sum);
        }
        y[r] = sum;
    }

    private static FloatVector load(MemorySegment w, long at) {
        return Simd.shorts(w, at).lanewise(VectorOperators.LSHL, 16).viewAsFloatingLanes();
    }

    private static float scalar(MemorySegment w, long at) {
        return Float.intBitsToFloat(w.get(Simd.SHORT, at) << 16);
    }
}
