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

/**
 * Numbers of 4 bits: {@code w = scale * (nibble - 8)}, eight in a word. Shifted to the head of the mantissa two come together:
 * masked, the higher is {@code 1 + nibble / 16} and the lower {@code 1 + nibble / 256}, which are summed apart.
 */
final class Q4_0Matrix extends QuantizedMatrix {

    static final int DIGITS = 8;

    private static final int HIGH = 0x00780000; // the four leading mantissa bits
    private static final int LOW = 0x00078000; // the next four
    private static final float TAKE_OFF_HIGH = -1.5f;
    private static final float TAKE_OFF_LOW = -1.03125f;
    private static final int WORD_BYTES = 4 * PANEL; // of a panel, for eight columns
    private static final float UNIT = 16;
    private static final Trial DOTS = new Trial();

    Q4_0Matrix(MemorySegment quants, MemorySegment scales, int rows, int columns) {
        this(quants, scales, rows, 0, rows, columns);
    }

    private Q4_0Matrix(MemorySegment quants, MemorySegment scales, int stored, int first, int rows, int columns) {
        super(quants, scales, stored, first, rows, columns, DIGITS, DOTS);
    }

    @Override
    public String format() {
        return "q4_0";
    }

    @Override
    protected WeightMatrix of(int storedRows, int firstRow, int count) {
        return new Q4_0Matrix(quants, scales, storedRows, firstRow, count, columns);
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
            FloatVector low0 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[2 * b]);
            FloatVector low1 = low0, low2 = low0, low3 = low0;
            FloatVector high0 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[2 * b + 1]);
            FloatVector high1 = high0, high2 = high0, high3 = high0;
            for (int v = 4 * b; v < 4 * b + 4; v++) {
                long at = (long) v * WORD_BYTES;
                IntVector a = IntVector.fromMemorySegment(I32, w, w0 + at, ByteOrder.LITTLE_ENDIAN);
                IntVector e = IntVector.fromMemorySegment(I32, w, w1 + at, ByteOrder.LITTLE_ENDIAN);
                IntVector f = IntVector.fromMemorySegment(I32, w, w2 + at, ByteOrder.LITTLE_ENDIAN);
                IntVector g = IntVector.fromMemorySegment(I32, w, w3 + at, ByteOrder.LITTLE_ENDIAN);
                FloatVector u = FloatVector.broadcast(F32, x[8 * v]);
                low0 = a.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low0);
                low1 = e.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low1);
                low2 = f.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low2);
                low3 = g.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low3);
                u = FloatVector.broadcast(F32, x[8 * v + 1]);
                high0 = a.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high0);
                high1 = e.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high1);
                high2 = f.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high2);
                high3 = g.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high3);
                u = FloatVector.broadcast(F32, x[8 * v + 2]);
                IntVector a8 = a.lanewise(VectorOperators.LSHR, 8);
                IntVector e8 = e.lanewise(VectorOperators.LSHR, 8);
                IntVector f8 = f.lanewise(VectorOperators.LSHR, 8);
                IntVector g8 = g.lanewise(VectorOperators.LSHR, 8);
                low0 = a8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low0);
                low1 = e8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low1);
                low2 = f8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low2);
                low3 = g8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low3);
                u = FloatVector.broadcast(F32, x[8 * v + 3]);
                high0 = a8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high0);
                high1 = e8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high1);
                high2 = f8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high2);
                high3 = g8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high3);
                a = a.lanewise(VectorOperators.ROR, 16);
                e = e.lanewise(VectorOperators.ROR, 16);
                f = f.lanewise(VectorOperators.ROR, 16);
                g = g.lanewise(VectorOperators.ROR, 16);
                u = FloatVector.broadcast(F32, x[8 * v + 4]);
                low0 = a.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low0);
                low1 = e.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low1);
                low2 = f.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low2);
                low3 = g.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low3);
                u = FloatVector.broadcast(F32, x[8 * v + 5]);
                high0 = a.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high0);
                high1 = e.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high1);
                high2 = f.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high2);
                high3 = g.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high3);
                u = FloatVector.broadcast(F32, x[8 * v + 6]);
                a8 = a.lanewise(VectorOperators.LSHR, 8);
                e8 = e.lanewise(VectorOperators.LSHR, 8);
                f8 = f.lanewise(VectorOperators.LSHR, 8);
                g8 = g.lanewise(VectorOperators.LSHR, 8);
                low0 = a8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low0);
                low1 = e8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low1);
                low2 = f8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low2);
                low3 = g8.and(LOW).or(ONE).viewAsFloatingLanes().fma(u, low3);
                u = FloatVector.broadcast(F32, x[8 * v + 7]);
                high0 = a8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high0);
                high1 = e8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high1);
                high2 = f8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high2);
                high3 = g8.and(HIGH).or(ONE).viewAsFloatingLanes().fma(u, high3);
            }
            long at = (long) b * SCALE_BYTES;
            FloatVector sixteen = FloatVector.broadcast(F32, 16);
            s0 = low0.fma(sixteen, high0)
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(I16, scales, d0 + at, ByteOrder.LITTLE_ENDIAN)
                                            .convertShape(VectorOperators.S2I, I32, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(HALF)
                                    .viewAsFloatingLanes()
                                    .mul(HALF_UNIT),
                            s0);
            s1 = low1.fma(sixteen, high1)
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(I16, scales, d1 + at, ByteOrder.LITTLE_ENDIAN)
                                            .convertShape(VectorOperators.S2I, I32, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(HALF)
                                    .viewAsFloatingLanes()
                                    .mul(HALF_UNIT),
                            s1);
            s2 = low2.fma(sixteen, high2)
                    .fma(
                            ((IntVector) ShortVector.fromMemorySegment(I16, scales, d2 + at, ByteOrder.LITTLE_ENDIAN)
                                            .convertShape(VectorOperators.S2I, I32, 0))
                                    .lanewise(VectorOperators.LSHL, 13)
                                    .and(HALF)
                                    .viewAsFloatingLanes()
                                    .mul(HALF_UNIT),
                            s2);
            s3 = low3.fma(sixteen, high3)
                    .fma(
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
    protected void scalarDots(int row, int count, int height, float[] x, float[] sums, float[] y) {
        int i1 = Math.min(1, count - 1), i2 = Math.min(2, count - 1), i3 = count - 1;
        long word = wordsAt(row, 0);
        long scale = scalesAt(row, 0);
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        for (int b = 0; b < columns / BLOCK; b++) {
            float low0 = TAKE_OFF_LOW * sums[2 * b], low1 = low0, low2 = low0, low3 = low0;
            float high0 = TAKE_OFF_HIGH * sums[2 * b + 1], high1 = high0, high2 = high0, high3 = high0;
            for (int c = b * BLOCK; c < (b + 1) * BLOCK; c += DIGITS) {
                int a = quants.get(Simd.INT, word);
                int e = quants.get(Simd.INT, word + 4 * i1);
                int f = quants.get(Simd.INT, word + 4 * i2);
                int g = quants.get(Simd.INT, word + 4 * i3);
                word += 4L * height;
                for (int digit = 0; digit < DIGITS; digit += 2) {
                    low0 = Math.fma(Float.intBitsToFloat(a & LOW | ONE), x[c + digit], low0);
                    high0 = Math.fma(Float.intBitsToFloat(a & HIGH | ONE), x[c + digit + 1], high0);
                    a = Integer.rotateRight(a, 8);
                    low1 = Math.fma(Float.intBitsToFloat(e & LOW | ONE), x[c + digit], low1);
                    high1 = Math.fma(Float.intBitsToFloat(e & HIGH | ONE), x[c + digit + 1], high1);
                    e = Integer.rotateRight(e, 8);
                    low2 = Math.fma(Float.intBitsToFloat(f & LOW | ONE), x[c + digit], low2);
                    high2 = Math.fma(Float.intBitsToFloat(f & HIGH | ONE), x[c + digit + 1], high2);
                    f = Integer.rotateRight(f, 8);
                    low3 = Math.fma(Float.intBitsToFloat(g & LOW | ONE), x[c + digit], low3);
                    high3 = Math.fma(Float.intBitsToFloat(g & HIGH | ONE), x[c + digit + 1], high3);
                    g = Integer.rotateRight(g, 8);
                }
            }
            s0 = Math.fma(Math.fma(low0, 16f, high0), half(scale), s0);
            s1 = Math.fma(Math.fma(low1, 16f, high1), half(scale + 2 * i1), s1);
            s2 = Math.fma(Math.fma(low2, 16f, high2), half(scale + 2 * i2), s2);
            s3 = Math.fma(Math.fma(low3, 16f, high3), half(scale + 2 * i3), s3);
            scale += 2L * height;
        }
        y[row] = UNIT * s0;
        y[row + i1] = UNIT * s1;
        y[row + i2] = UNIT * s2;
        y[row + i3] = UNIT * s3;
    }

    @Override
    protected void unpackPanel(long at, int k, float[] scales, int scaleAt, float[] out, int offset, int apart) {
        Simd.mayFault(quants, at);
        for (int b = 0; b < k / BLOCK; b++) {
            FloatVector scale = FloatVector.fromArray(F32, scales, scaleAt + PANEL * b);
            for (int v = 4 * b; v < 4 * b + 4; v++) {
                IntVector words =
                        IntVector.fromMemorySegment(I32, quants, at + (long) v * WORD_BYTES, ByteOrder.LITTLE_ENDIAN);
                words = words.lanewise(VectorOperators.ROR, FIRST_BIT);
                for (int digit = 0; digit < DIGITS; digit++) {
                    ((FloatVector) words.and(15).sub(8).convert(VectorOperators.I2F, 0))
                            .mul(scale)
                            .intoArray(out, offset + (DIGITS * v + digit) * apart);
                    words = words.lanewise(VectorOperators.LSHR, 4);
                }
            }
        }
    }
}
