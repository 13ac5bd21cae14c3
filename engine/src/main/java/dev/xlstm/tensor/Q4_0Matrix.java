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
    private static final KernelWarmup ONE_ROW = new KernelWarmup(64);
    private static final KernelWarmup FEW_ROWS = new KernelWarmup(16);

    Q4_0Matrix(MemorySegment quants, MemorySegment scales, int rows, int columns) {
        this(quants, scales, rows, 0, rows, columns);
    }

    private Q4_0Matrix(MemorySegment quants, MemorySegment scales, int stored, int first, int rows, int columns) {
        super(quants, scales, stored, first, rows, columns, DIGITS, ONE_ROW, FEW_ROWS);
    }

    @Override
    public WeightFormat format() {
        return WeightFormat.Q4_0;
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
            FloatVector low0 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at]);
            FloatVector high0 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 1]);
            FloatVector low1 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at + 1 * sumsApart]);
            FloatVector high1 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 1 * sumsApart + 1]);
            FloatVector low2 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at + 2 * sumsApart]);
            FloatVector high2 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 2 * sumsApart + 1]);
            FloatVector low3 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at + 3 * sumsApart]);
            FloatVector high3 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 3 * sumsApart + 1]);
            FloatVector low4 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at + 4 * sumsApart]);
            FloatVector high4 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 4 * sumsApart + 1]);
            FloatVector low5 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at + 5 * sumsApart]);
            FloatVector high5 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 5 * sumsApart + 1]);
            FloatVector low6 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at + 6 * sumsApart]);
            FloatVector high6 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 6 * sumsApart + 1]);
            FloatVector low7 = FloatVector.broadcast(F32, TAKE_OFF_LOW * sums[at + 7 * sumsApart]);
            FloatVector high7 = FloatVector.broadcast(F32, TAKE_OFF_HIGH * sums[at + 7 * sumsApart + 1]);
            for (int half = 8 * b; half < 8 * b + 8; half++) { // of a word: four columns
                IntVector a = IntVector.fromMemorySegment(
                                I32, w, w0 + (long) (half / 2) * WORD_BYTES, ByteOrder.LITTLE_ENDIAN)
                        .lanewise(VectorOperators.ROR, half % 2 * 16);
                int c = 32 * half;
                FloatVector f = a.and(LOW).or(ONE).viewAsFloatingLanes();
                low0 = f.fma(FloatVector.broadcast(F32, x[c]), low0);
                low1 = f.fma(FloatVector.broadcast(F32, x[c + 1]), low1);
                low2 = f.fma(FloatVector.broadcast(F32, x[c + 2]), low2);
                low3 = f.fma(FloatVector.broadcast(F32, x[c + 3]), low3);
                low4 = f.fma(FloatVector.broadcast(F32, x[c + 4]), low4);
                low5 = f.fma(FloatVector.broadcast(F32, x[c + 5]), low5);
                low6 = f.fma(FloatVector.broadcast(F32, x[c + 6]), low6);
                low7 = f.fma(FloatVector.broadcast(F32, x[c + 7]), low7);
                f = a.and(HIGH).or(ONE).viewAsFloatingLanes();
                high0 = f.fma(FloatVector.broadcast(F32, x[c + 8]), high0);
                high1 = f.fma(FloatVector.broadcast(F32, x[c + 9]), high1);
                high2 = f.fma(FloatVector.broadcast(F32, x[c + 10]), high2);
                high3 = f.fma(FloatVector.broadcast(F32, x[c + 11]), high3);
                high4 = f.fma(FloatVector.broadcast(F32, x[c + 12]), high4);
                high5 = f.fma(FloatVector.broadcast(F32, x[c + 13]), high5);
                high6 = f.fma(FloatVector.broadcast(F32, x[c + 14]), high6);
                high7 = f.fma(FloatVector.broadcast(F32, x[c + 15]), high7);
                IntVector a8 = a.lanewise(VectorOperators.LSHR, 8);
                f = a8.and(LOW).or(ONE).viewAsFloatingLanes();
                low0 = f.fma(FloatVector.broadcast(F32, x[c + 16]), low0);
                low1 = f.fma(FloatVector.broadcast(F32, x[c + 17]), low1);
                low2 = f.fma(FloatVector.broadcast(F32, x[c + 18]), low2);
                low3 = f.fma(FloatVector.broadcast(F32, x[c + 19]), low3);
                low4 = f.fma(FloatVector.broadcast(F32, x[c + 20]), low4);
                low5 = f.fma(FloatVector.broadcast(F32, x[c + 21]), low5);
                low6 = f.fma(FloatVector.broadcast(F32, x[c + 22]), low6);
                low7 = f.fma(FloatVector.broadcast(F32, x[c + 23]), low7);
                f = a8.and(HIGH).or(ONE).viewAsFloatingLanes();
                high0 = f.fma(FloatVector.broadcast(F32, x[c + 24]), high0);
                high1 = f.fma(FloatVector.broadcast(F32, x[c + 25]), high1);
                high2 = f.fma(FloatVector.broadcast(F32, x[c + 26]), high2);
                high3 = f.fma(FloatVector.broadcast(F32, x[c + 27]), high3);
                high4 = f.fma(FloatVector.broadcast(F32, x[c + 28]), high4);
                high5 = f.fma(FloatVector.broadcast(F32, x[c + 29]), high5);
                high6 = f.fma(FloatVector.broadcast(F32, x[c + 30]), high6);
                high7 = f.fma(FloatVector.broadcast(F32, x[c + 31]), high7);
            }
            FloatVector sixteen = FloatVector.broadcast(F32, 16);
            FloatVector scale = ((IntVector) ShortVector.fromMemorySegment(
                                    I16, scales, d0 + (long) b * SCALE_BYTES, ByteOrder.LITTLE_ENDIAN)
                            .convertShape(VectorOperators.S2I, I32, 0))
                    .lanewise(VectorOperators.LSHL, 13)
                    .and(HALF)
                    .viewAsFloatingLanes()
                    .mul(HALF_UNIT);
            s0 = low0.fma(sixteen, high0).fma(scale, s0);
            s1 = low1.fma(sixteen, high1).fma(scale, s1);
            s2 = low2.fma(sixteen, high2).fma(scale, s2);
            s3 = low3.fma(sixteen, high3).fma(scale, s3);
            s4 = low4.fma(sixteen, high4).fma(scale, s4);
            s5 = low5.fma(sixteen, high5).fma(scale, s5);
            s6 = low6.fma(sixteen, high6).fma(scale, s6);
            s7 = low7.fma(sixteen, high7).fma(scale, s7);
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
            float low0 = TAKE_OFF_LOW * sums[sumsAt + 2 * b], low1 = low0, low2 = low0, low3 = low0;
            float high0 = TAKE_OFF_HIGH * sums[sumsAt + 2 * b + 1], high1 = high0, high2 = high0, high3 = high0;
            for (int c = b * BLOCK; c < (b + 1) * BLOCK; c += DIGITS) {
                int a = quants.get(Simd.INT, word);
                int e = quants.get(Simd.INT, word + 4 * i1);
                int f = quants.get(Simd.INT, word + 4 * i2);
                int g = quants.get(Simd.INT, word + 4 * i3);
                word += 4L * height;
                for (int digit = 0; digit < DIGITS; digit += 2) {
                    low0 = Math.fma(Float.intBitsToFloat(a & LOW | ONE), x[xAt + c + digit], low0);
                    high0 = Math.fma(Float.intBitsToFloat(a & HIGH | ONE), x[xAt + c + digit + 1], high0);
                    a = Integer.rotateRight(a, 8);
                    low1 = Math.fma(Float.intBitsToFloat(e & LOW | ONE), x[xAt + c + digit], low1);
                    high1 = Math.fma(Float.intBitsToFloat(e & HIGH | ONE), x[xAt + c + digit + 1], high1);
                    e = Integer.rotateRight(e, 8);
                    low2 = Math.fma(Float.intBitsToFloat(f & LOW | ONE), x[xAt + c + digit], low2);
                    high2 = Math.fma(Float.intBitsToFloat(f & HIGH | ONE), x[xAt + c + digit + 1], high2);
                    f = Integer.rotateRight(f, 8);
                    low3 = Math.fma(Float.intBitsToFloat(g & LOW | ONE), x[xAt + c + digit], low3);
                    high3 = Math.fma(Float.intBitsToFloat(g & HIGH | ONE), x[xAt + c + digit + 1], high3);
                    g = Integer.rotateRight(g, 8);
                }
            }
            s0 = Math.fma(Math.fma(low0, 16f, high0), half(scale), s0);
            s1 = Math.fma(Math.fma(low1, 16f, high1), half(scale + 2 * i1), s1);
            s2 = Math.fma(Math.fma(low2, 16f, high2), half(scale + 2 * i2), s2);
            s3 = Math.fma(Math.fma(low3, 16f, high3), half(scale + 2 * i3), s3);
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
