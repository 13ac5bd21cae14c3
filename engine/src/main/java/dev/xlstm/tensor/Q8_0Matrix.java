package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.I16;
import static dev.xlstm.tensor.Simd.I32;

/** Numbers of 8 bits: {@code w = scale * (byte - 128)}, four in a word. */
final class Q8_0Matrix extends QuantizedMatrix {

    static final int DIGITS = 4;

    private static final int BYTE = 0x007f8000; // the eight leading mantissa bits
    private static final int WORD_BYTES = 4 * PANEL; // of a panel, for four columns
    private static final float UNIT = 256;
    private static final KernelWarmup ONE_ROW = new KernelWarmup(64);
    private static final KernelWarmup FEW_ROWS = new KernelWarmup(16);

    Q8_0Matrix(MemorySegment quants, MemorySegment scales, int rows, int columns) {
        this(quants, scales, rows, 0, rows, columns);
    }

    private Q8_0Matrix(MemorySegment quants, MemorySegment scales, int stored, int first, int rows, int columns) {
        super(quants, scales, stored, first, rows, columns, DIGITS, ONE_ROW, FEW_ROWS);
    }

    @Override
    public WeightFormat format() {
        return WeightFormat.Q8_0;
    }

    @Override
    protected WeightMatrix of(int storedRows, int firstRow, int count) {
        return new Q8_0Matrix(quants, scales, storedRows, firstRow, count, columns);
    }

    @Override
    protected void dots(
            MemorySegment w,
            MemorySegment scales,
            int blocks,
            float[] x,
            float[] sums,
            long w0,
            long w1,
            long w2,
            long w3,
            long d0,
            long d1,
            long d2,
            long d3,
            float[] y,
            int y0,
            int y1,
            int y2,
            int y3) {
        Simd.mayFault(w, w0);
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0;
        for (int b = 0; b < blocks; b++) {
            FloatVector t0 = FloatVector.broadcast(F32, -1.5f * (sums[2 * b] + sums[2 * b + 1]));
            FloatVector t1 = t0, t2 = t0, t3 = t0;
            for (int v = 8 * b; v < 8 * b + 8; v++) {
                long at = (long) v * WORD_BYTES;
                IntVector a = IntVector.fromMemorySegment(I32, w, w0 + at, ByteOrder.LITTLE_ENDIAN);
                IntVector e = IntVector.fromMemorySegment(I32, w, w1 + at, ByteOrder.LITTLE_ENDIAN);
                IntVector f = IntVector.fromMemorySegment(I32, w, w2 + at, ByteOrder.LITTLE_ENDIAN);
                IntVector g = IntVector.fromMemorySegment(I32, w, w3 + at, ByteOrder.LITTLE_ENDIAN);
                FloatVector u = FloatVector.broadcast(F32, x[4 * v]);
                t0 = a.and(BYTE).or(ONE).viewAsFloatingLanes().fma(u, t0);
                t1 = e.and(BYTE).or(ONE).viewAsFloatingLanes().fma(u, t1);
                t2 = f.and(BYTE).or(ONE).viewAsFloatingLanes().fma(u, t2);
                t3 = g.and(BYTE).or(ONE).viewAsFloatingLanes().fma(u, t3);
                u = FloatVector.broadcast(F32, x[4 * v + 1]);
                t0 = a.lanewise(VectorOperators.LSHR, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t0);
                t1 = e.lanewise(VectorOperators.LSHR, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t1);
                t2 = f.lanewise(VectorOperators.LSHR, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t2);
                t3 = g.lanewise(VectorOperators.LSHR, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t3);
                u = FloatVector.broadcast(F32, x[4 * v + 2]);
                t0 = a.lanewise(VectorOperators.ROR, 16)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t0);
                t1 = e.lanewise(VectorOperators.ROR, 16)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t1);
                t2 = f.lanewise(VectorOperators.ROR, 16)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t2);
                t3 = g.lanewise(VectorOperators.ROR, 16)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t3);
                u = FloatVector.broadcast(F32, x[4 * v + 3]);
                t0 = a.lanewise(VectorOperators.LSHL, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t0);
                t1 = e.lanewise(VectorOperators.LSHL, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t1);
                t2 = f.lanewise(VectorOperators.LSHL, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t2);
                t3 = g.lanewise(VectorOperators.LSHL, 8)
                        .and(BYTE)
                        .or(ONE)
                        .viewAsFloatingLanes()
                        .fma(u, t3);
            }
            long at = (long) b * SCALE_BYTES;
            s0 = t0.fma(
                    ((IntVector) ShortVector.fromMemorySegment(I16, scales, d0 + at, ByteOrder.LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, I32, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(HALF)
                            .viewAsFloatingLanes()
                            .mul(HALF_UNIT),
                    s0);
            s1 = t1.fma(
                    ((IntVector) ShortVector.fromMemorySegment(I16, scales, d1 + at, ByteOrder.LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, I32, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(HALF)
                            .viewAsFloatingLanes()
                            .mul(HALF_UNIT),
                    s1);
            s2 = t2.fma(
                    ((IntVector) ShortVector.fromMemorySegment(I16, scales, d2 + at, ByteOrder.LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, I32, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(HALF)
                            .viewAsFloatingLanes()
                            .mul(HALF_UNIT),
                    s2);
            s3 = t3.fma(
                    ((IntVector) ShortVector.fromMemorySegment(I16, scales, d3 + at, ByteOrder.LITTLE_ENDIAN)
                                    .convertShape(VectorOperators.S2I, I32, 0))
                            .lanewise(VectorOperators.LSHL, 13)
                            .and(HALF)
                            .viewAsFloatingLanes()
                            .mul(HALF_UNIT),
                    s3);
        }
        s0.mul(UNIT).intoArray(y, y0);
        s1.mul(UNIT).intoArray(y, y1);
        s2.mul(UNIT).intoArray(y, y2);
        s3.mul(UNIT).intoArray(y, y3);
    }

    @Override
    protected void dots8(
            MemorySegment w,
            MemorySegment scales,
            int blocks,
            float[] x,
            float[] sums,
            int sumsApart,
            long w0,
            long d0,
            float[] y,
            int y0) {
        Simd.mayFault(w, w0);
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (int b = 0; b < blocks; b++) {
            int at = 2 * b;
            FloatVector t0 = FloatVector.broadcast(F32, -1.5f * (sums[at] + sums[at + 1]));
            FloatVector t1 =
                    FloatVector.broadcast(F32, -1.5f * (sums[at + 1 * sumsApart] + sums[at + 1 * sumsApart + 1]));
            FloatVector t2 =
                    FloatVector.broadcast(F32, -1.5f * (sums[at + 2 * sumsApart] + sums[at + 2 * sumsApart + 1]));
            FloatVector t3 =
                    FloatVector.broadcast(F32, -1.5f * (sums[at + 3 * sumsApart] + sums[at + 3 * sumsApart + 1]));
            FloatVector t4 =
                    FloatVector.broadcast(F32, -1.5f * (sums[at + 4 * sumsApart] + sums[at + 4 * sumsApart + 1]));
            FloatVector t5 =
                    FloatVector.broadcast(F32, -1.5f * (sums[at + 5 * sumsApart] + sums[at + 5 * sumsApart + 1]));
            FloatVector t6 =
                    FloatVector.broadcast(F32, -1.5f * (sums[at + 6 * sumsApart] + sums[at + 6 * sumsApart + 1]));
            FloatVector t7 =
                    FloatVector.broadcast(F32, -1.5f * (sums[at + 7 * sumsApart] + sums[at + 7 * sumsApart + 1]));
            for (int v = 8 * b; v < 8 * b + 8; v++) {
                IntVector a = IntVector.fromMemorySegment(I32, w, w0 + (long) v * WORD_BYTES, ByteOrder.LITTLE_ENDIAN);
                int c = 32 * v;
                FloatVector f = a.and(BYTE).or(ONE).viewAsFloatingLanes();
                t0 = f.fma(FloatVector.broadcast(F32, x[c]), t0);
                t1 = f.fma(FloatVector.broadcast(F32, x[c + 1]), t1);
                t2 = f.fma(FloatVector.broadcast(F32, x[c + 2]), t2);
                t3 = f.fma(FloatVector.broadcast(F32, x[c + 3]), t3);
                t4 = f.fma(FloatVector.broadcast(F32, x[c + 4]), t4);
                t5 = f.fma(FloatVector.broadcast(F32, x[c + 5]), t5);
                t6 = f.fma(FloatVector.broadcast(F32, x[c + 6]), t6);
                t7 = f.fma(FloatVector.broadcast(F32, x[c + 7]), t7);
                f = a.lanewise(VectorOperators.LSHR, 8).and(BYTE).or(ONE).viewAsFloatingLanes();
                t0 = f.fma(FloatVector.broadcast(F32, x[c + 8]), t0);
                t1 = f.fma(FloatVector.broadcast(F32, x[c + 9]), t1);
                t2 = f.fma(FloatVector.broadcast(F32, x[c + 10]), t2);
                t3 = f.fma(FloatVector.broadcast(F32, x[c + 11]), t3);
                t4 = f.fma(FloatVector.broadcast(F32, x[c + 12]), t4);
                t5 = f.fma(FloatVector.broadcast(F32, x[c + 13]), t5);
                t6 = f.fma(FloatVector.broadcast(F32, x[c + 14]), t6);
                t7 = f.fma(FloatVector.broadcast(F32, x[c + 15]), t7);
                f = a.lanewise(VectorOperators.ROR, 16).and(BYTE).or(ONE).viewAsFloatingLanes();
                t0 = f.fma(FloatVector.broadcast(F32, x[c + 16]), t0);
                t1 = f.fma(FloatVector.broadcast(F32, x[c + 17]), t1);
                t2 = f.fma(FloatVector.broadcast(F32, x[c + 18]), t2);
                t3 = f.fma(FloatVector.broadcast(F32, x[c + 19]), t3);
                t4 = f.fma(FloatVector.broadcast(F32, x[c + 20]), t4);
                t5 = f.fma(FloatVector.broadcast(F32, x[c + 21]), t5);
                t6 = f.fma(FloatVector.broadcast(F32, x[c + 22]), t6);
                t7 = f.fma(FloatVector.broadcast(F32, x[c + 23]), t7);
                f = a.lanewise(VectorOperators.LSHL, 8).and(BYTE).or(ONE).viewAsFloatingLanes();
                t0 = f.fma(FloatVector.broadcast(F32, x[c + 24]), t0);
                t1 = f.fma(FloatVector.broadcast(F32, x[c + 25]), t1);
                t2 = f.fma(FloatVector.broadcast(F32, x[c + 26]), t2);
                t3 = f.fma(FloatVector.broadcast(F32, x[c + 27]), t3);
                t4 = f.fma(FloatVector.broadcast(F32, x[c + 28]), t4);
                t5 = f.fma(FloatVector.broadcast(F32, x[c + 29]), t5);
                t6 = f.fma(FloatVector.broadcast(F32, x[c + 30]), t6);
                t7 = f.fma(FloatVector.broadcast(F32, x[c + 31]), t7);
            }
            FloatVector scale = ((IntVector) ShortVector.fromMemorySegment(
                                    I16, scales, d0 + (long) b * SCALE_BYTES, ByteOrder.LITTLE_ENDIAN)
                            .convertShape(VectorOperators.S2I, I32, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(HALF)
                    .viewAsFloatingLanes()
                    .mul(HALF_UNIT);
            s0 = t0.fma(scale, s0);
            s1 = t1.fma(scale, s1);
            s2 = t2.fma(scale, s2);
            s3 = t3.fma(scale, s3);
            s4 = t4.fma(scale, s4);
            s5 = t5.fma(scale, s5);
            s6 = t6.fma(scale, s6);
            s7 = t7.fma(scale, s7);
        }
        s0.mul(UNIT).intoArray(y, y0);
        s1.mul(UNIT).intoArray(y, y0 + 1 * PANEL);
        s2.mul(UNIT).intoArray(y, y0 + 2 * PANEL);
        s3.mul(UNIT).intoArray(y, y0 + 3 * PANEL);
        s4.mul(UNIT).intoArray(y, y0 + 4 * PANEL);
        s5.mul(UNIT).intoArray(y, y0 + 5 * PANEL);
        s6.mul(UNIT).intoArray(y, y0 + 6 * PANEL);
        s7.mul(UNIT).intoArray(y, y0 + 7 * PANEL);
    }

    @Override
    protected void scalarDots(
            int row, int count, int height, float[] x, int xAt, float[] sums, int sumsAt, float[] y, int yAt) {
        int i1 = Math.min(1, count - 1), i2 = Math.min(2, count - 1), i3 = count - 1;
        long word = wordsAt(row, 0);
        long scale = scalesAt(row, 0);
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int b = 0; b < columns / BLOCK; b++) {
            float t0 = -1.5f * (sums[sumsAt + 2 * b] + sums[sumsAt + 2 * b + 1]), t1 = t0, t2 = t0, t3 = t0;
            for (int c = b * BLOCK; c < (b + 1) * BLOCK; c += DIGITS) {
                int a = quants.get(Simd.INT, word);
                int e = quants.get(Simd.INT, word + 4 * i1);
                int f = quants.get(Simd.INT, word + 4 * i2);
                int g = quants.get(Simd.INT, word + 4 * i3);
                word += 4L * height;
                for (int digit = 0; digit < DIGITS; digit++) {
                    t0 = Math.fma(Float.intBitsToFloat(a & BYTE | ONE), x[xAt + c + digit], t0);
                    a = Integer.rotateRight(a, 8);
                    t1 = Math.fma(Float.intBitsToFloat(e & BYTE | ONE), x[xAt + c + digit], t1);
                    e = Integer.rotateRight(e, 8);
                    t2 = Math.fma(Float.intBitsToFloat(f & BYTE | ONE), x[xAt + c + digit], t2);
                    f = Integer.rotateRight(f, 8);
                    t3 = Math.fma(Float.intBitsToFloat(g & BYTE | ONE), x[xAt + c + digit], t3);
                    g = Integer.rotateRight(g, 8);
                }
            }
            s0 = Math.fma(t0, half(scale), s0);
            s1 = Math.fma(t1, half(scale + 2 * i1), s1);
            s2 = Math.fma(t2, half(scale + 2 * i2), s2);
            s3 = Math.fma(t3, half(scale + 2 * i3), s3);
            scale += 2L * height;
        }
        y[yAt + row] = UNIT * s0;
        y[yAt + row + i1] = UNIT * s1;
        y[yAt + row + i2] = UNIT * s2;
        y[yAt + row + i3] = UNIT * s3;
    }

    @Override
    protected void unpackPanel(long at, int k, float[] scales, int scaleAt, float[] out, int offset, int apart) {
        Simd.mayFault(quants, at);
        for (int b = 0; b < k / BLOCK; b++) {
            FloatVector scale = FloatVector.fromArray(F32, scales, scaleAt + PANEL * b);
            for (int v = 8 * b; v < 8 * b + 8; v++) {
                IntVector words =
                        IntVector.fromMemorySegment(I32, quants, at + (long) v * WORD_BYTES, ByteOrder.LITTLE_ENDIAN);
                words = words.lanewise(VectorOperators.ROR, FIRST_BIT);
                for (int digit = 0; digit < DIGITS; digit++) {
                    ((FloatVector) words.and(255).sub(128).convert(VectorOperators.I2F, 0))
                            .mul(scale)
                            .intoArray(out, offset + (DIGITS * v + digit) * apart);
                    words = words.lanewise(VectorOperators.LSHR, 8);
                }
            }
        }
    }
}
