package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.I8;
import static dev.xlstm.tensor.Simd.LANES;

/** Blocks of 32 signed bytes along a row, each block with a half-precision scale: {@code w = scale * byte}. */
final class Q8_0Matrix extends WeightMatrix {

    private final MemorySegment quants; // signed bytes [rows, columns]
    private final MemorySegment scales; // halves [rows, columns / 32]

    Q8_0Matrix(MemorySegment quants, MemorySegment scales, int rows, int columns) {
        super(rows, columns);
        this.quants = quants;
        this.scales = scales;
    }

    @Override
    public String format() {
        return "q8_0";
    }

    @Override
    public MemorySegment scales() {
        return scales;
    }

    @Override
    public long byteSize() {
        return quants.byteSize() + scales.byteSize();
    }

    @Override
    public WeightMatrix slice(int from, int to) {
        long quantBytes = columns;
        long scaleBytes = columns / BLOCK * 2L;
        return new Q8_0Matrix(
                quants.asSlice(from * quantBytes, (to - from) * quantBytes),
                scales.asSlice(from * scaleBytes, (to - from) * scaleBytes),
                to - from,
                columns);
    }

    @Override
    public void unpack(int row, int column, int count, float[] out, int offset) {
        long quantAt = (long) row * columns + column;
        long scaleAt = 2L * row * (columns / BLOCK);
        int i = 0;
        while (i < count) {
            float scale = Float.float16ToFloat(scales.get(Simd.SHORT, scaleAt + 2L * ((column + i) / BLOCK)));
            int end = Math.min(count, i + BLOCK - (column + i) % BLOCK);
            for (int bound = i + Simd.bound(end - i); i < bound; i += LANES) {
                Simd.bytes(quants, quantAt + i).mul(scale).intoArray(out, offset + i);
            }
            for (; i < end; i++) {
                out[offset + i] = scale * quants.get(ValueLayout.JAVA_BYTE, quantAt + i);
            }
        }
    }

    @Override
    public void multiply(float[] x, float[] y, int from, int to, float[] scratch) {
        int blocks = columns / BLOCK;
        int most = Math.max(scratch.length / blocks, 1); // rows whose scales fit the scratch memory
        for (int slab = from; slab < to; slab += most) {
            int end = Math.min(slab + most, to);
            Simd.halves(scales, 2L * slab * blocks, (end - slab) * blocks, scratch, 0);
            int apart = LANES == 16 ? (end - slab) / 4 : 0;
            int r = slab;
            for (; r < slab + apart; r++) {
                dots4x16(quants, (long) r * columns, scratch, (r - slab) * blocks, x, columns, y, r, apart);
            }
            for (r = slab + 4 * apart; r < end; r++) {
                dot(quants, (long) r * columns, scratch, (r - slab) * blocks, x, columns, y, r);
            }
        }
    }

    /**
     * 4 rows at once, {@code apart} from each other, where a block is two vectors; the scales of a row are [k / 32], those of
     * the first at {@code d0}. Spelled out, as the compiler stops inlining methods of ours (not the Vector API's) in large ones, and a vector it does not inline is an
     * object.
     */
    private static void dots4x16(
            MemorySegment w, long w0, float[] scales, int d0, float[] x, int k, float[] y, int r, int apart) {
        int blocks = k / BLOCK;
        long bytesApart = (long) apart * k;
        long w1 = w0 + bytesApart, w2 = w1 + bytesApart, w3 = w2 + bytesApart;
        int d1 = d0 + apart * blocks, d2 = d1 + apart * blocks, d3 = d2 + apart * blocks;
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0;
        for (int b = 0; b < blocks; b++) {
            int i = b * BLOCK;
            FloatVector v = FloatVector.fromArray(F32, x, i);
            FloatVector u = FloatVector.fromArray(F32, x, i + 16);
            FloatVector t = ((FloatVector) ByteVector.fromMemorySegment(I8, w, w0 + i + 16, ByteOrder.LITTLE_ENDIAN)
                            .castShape(F32, 0))
                    .fma(
                            u,
                            ((FloatVector) ByteVector.fromMemorySegment(I8, w, w0 + i, ByteOrder.LITTLE_ENDIAN)
                                            .castShape(F32, 0))
                                    .mul(v));
            s0 = t.fma(FloatVector.broadcast(F32, scales[d0 + b]), s0);
            t = ((FloatVector) ByteVector.fromMemorySegment(I8, w, w1 + i + 16, ByteOrder.LITTLE_ENDIAN)
                            .castShape(F32, 0))
                    .fma(
                            u,
                            ((FloatVector) ByteVector.fromMemorySegment(I8, w, w1 + i, ByteOrder.LITTLE_ENDIAN)
                                            .castShape(F32, 0))
                                    .mul(v));
            s1 = t.fma(FloatVector.broadcast(F32, scales[d1 + b]), s1);
            t = ((FloatVector) ByteVector.fromMemorySegment(I8, w, w2 + i + 16, ByteOrder.LITTLE_ENDIAN)
                            .castShape(F32, 0))
                    .fma(
                            u,
                            ((FloatVector) ByteVector.fromMemorySegment(I8, w, w2 + i, ByteOrder.LITTLE_ENDIAN)
                                            .castShape(F32, 0))
                                    .mul(v));
            s2 = t.fma(FloatVector.broadcast(F32, scales[d2 + b]), s2);
            t = ((FloatVector) ByteVector.fromMemorySegment(I8, w, w3 + i + 16, ByteOrder.LITTLE_ENDIAN)
                            .castShape(F32, 0))
                    .fma(
                            u,
                            ((FloatVector) ByteVector.fromMemorySegment(I8, w, w3 + i, ByteOrder.LITTLE_ENDIAN)
                                            .castShape(F32, 0))
                                    .mul(v));
            s3 = t.fma(FloatVector.broadcast(F32, scales[d3 + b]), s3);
        }
        y[r] = Simd.sum(s0);
        y[r + apart] = Simd.sum(s1);
        y[r + 2 * apart] = Simd.sum(s2);
        y[r + 3 * apart] = Simd.sum(s3);
    }

    /** One row, of any width of vectors. */
    private static void dot(MemorySegment w, long w0, float[] scales, int so, float[] x, int k, float[] y, int r) {
        FloatVector s = FloatVector.zero(F32);
        for (int b = 0; b < k / BLOCK; b++) {
            int at = b * BLOCK;
            FloatVector t = Simd.bytes(w, w0 + at).mul(FloatVector.fromArray(F32, x, at));
            for (int i = at + LANES; i < at + BLOCK; i += LANES) {
                t = Simd.bytes(w, w0 + i).fma(FloatVector.fromArray(F32, x, i), t);
            }
            s = t.fma(FloatVector.broadcast(F32, scales[so + b]), s);
        }
        y[r] = Simd.sum(s);
    }
}
