package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.I32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * Blocks of 32 four-bit numbers along a row, each block with a half-precision scale: {@code w = scale * (nibble - 8)}.
 *
 * <p>Four blocks, 128 numbers, share 16 little-endian words, as vectors want them: nibble j (from the lowest) of word l
 * is number {@code 16 j + l}. Blocks at the end of a row that fill no such group lie one by one, 16 bytes each: byte l has
 * number l in its low nibble and number {@code l + 16} in its high one.
 *
 * <p>A nibble becomes a float without a conversion: put below the leading mantissa bits of 1.0, it is
 * {@code 1 + nibble / 16}, and {@code w = 16 scale * ((1 + nibble / 16) - 1.5)}. The 1.5 is taken off by what the sums of
 * a block start from.
 */
final class Q4_0Matrix extends WeightMatrix {

    private static final int GROUP = 4 * BLOCK;
    private static final int GROUP_BYTES = GROUP / 2;
    private static final int NIBBLE = 0x00780000; // the four leading mantissa bits
    private static final int ONE = 0x3f800000; // 1.0

    private final MemorySegment quants; // pairs of nibbles [rows, columns / 2]
    private final MemorySegment scales; // halves [rows, columns / 32]

    Q4_0Matrix(MemorySegment quants, MemorySegment scales, int rows, int columns) {
        super(rows, columns);
        this.quants = quants;
        this.scales = scales;
    }

    @Override
    public String format() {
        return "q4_0";
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
        long quantBytes = columns / 2;
        long scaleBytes = columns / BLOCK * 2L;
        return new Q4_0Matrix(
                quants.asSlice(from * quantBytes, (to - from) * quantBytes),
                scales.asSlice(from * scaleBytes, (to - from) * scaleBytes),
                to - from,
                columns);
    }

    /** Byte of a row that holds a column's nibble, times two, plus one if it is the high one. */
    private static int place(int columns, int column) {
        int grouped = columns - columns % GROUP;
        if (column < grouped) {
            int within = column % GROUP;
            int nibble = within / 16; // of the word
            return 2 * (column / GROUP * GROUP_BYTES + 4 * (within % 16) + nibble / 2) + nibble % 2;
        }
        int within = (column - grouped) % BLOCK;
        int block = grouped / 2 + (column - grouped) / BLOCK * (BLOCK / 2);
        return 2 * (block + within % 16) + within / 16;
    }

    /** The number stored at a place of a row: 0 to 15. */
    private int nibble(int row, int column) {
        int place = place(columns, column);
        int pair = quants.get(ValueLayout.JAVA_BYTE, (long) row * (columns / 2) + place / 2);
        return pair >>> 4 * (place % 2) & 15;
    }

    /** Stores a number, 0 to 15, at a column of a row of {@code columns}. */
    static void setNibble(MemorySegment row, int columns, int column, int value) {
        int place = place(columns, column);
        int shift = 4 * (place % 2);
        int pair = row.get(ValueLayout.JAVA_BYTE, place / 2);
        row.set(ValueLayout.JAVA_BYTE, place / 2, (byte) (pair & ~(15 << shift) | value << shift));
    }

    @Override
    public void unpack(int row, int column, int count, float[] out, int offset) {
        long scaleAt = 2L * row * (columns / BLOCK);
        int grouped = columns - columns % GROUP;
        for (int i = 0; i < count; ) {
            int at = column + i;
            if (at % GROUP == 0 && at < grouped && count - i >= GROUP) {
                long words = (long) row * (columns / 2) + at / 2;
                unpackGroup(quants, words, scales, scaleAt + 2L * (at / BLOCK), out, offset + i);
                i += GROUP;
            } else {
                float scale = Float.float16ToFloat(scales.get(Simd.SHORT, scaleAt + 2L * (at / BLOCK)));
                out[offset + i] = scale * (nibble(row, at) - 8);
                i++;
            }
        }
    }

    private static void unpackGroup(
            MemorySegment w, long at, MemorySegment scales, long scaleAt, float[] out, int offset) {
        for (int block = 0; block < 4; block++) {
            float scale = Float.float16ToFloat(scales.get(Simd.SHORT, scaleAt + 2L * block));
            for (int l = 0; l < 16; l += LANES) {
                IntVector words = Simd.ints(w, at + 4L * l).lanewise(VectorOperators.LSHR, 8 * block);
                int o = offset + block * BLOCK + l;
                IntVector low = words.and(15).sub(8);
                ((FloatVector) low.convert(VectorOperators.I2F, 0)).mul(scale).intoArray(out, o);
                IntVector high = words.lanewise(VectorOperators.LSHR, 4).and(15).sub(8);
                ((FloatVector) high.convert(VectorOperators.I2F, 0)).mul(scale).intoArray(out, o + 16);
            }
        }
    }

    @Override
    public void multiply(float[] x, float[] y, int from, int to, float[] scratch) {
        int blocks = columns / BLOCK;
        int groups = columns / GROUP;
        // scratch: what each block of x starts from [columns / 2], scales [rows, blocks], two dot products
        int scalesAt = columns / 2;
        int most = (scratch.length - 2 - scalesAt) / blocks; // rows whose scales fit
        for (int b = 0; b < 4 * groups; b++) {
            takeOff(x, b * BLOCK, scratch, b * 16);
        }
        for (int slab = from; slab < to; slab += most) {
            int rows = Math.min(most, to - slab);
            int units = scalesAt + rows * blocks;
            Simd.halves(scales, 2L * slab * blocks, rows * blocks, scratch, scalesAt);
            int half = (rows + 1) / 2; // rows r and r + half together: two long streams
            for (int r = slab; r < slab + half; r++) {
                int second = Math.min(r + half, slab + rows - 1); // of an odd number the last is computed twice
                int d0 = scalesAt + (r - slab) * blocks;
                int d1 = scalesAt + (second - slab) * blocks;
                long at0 = (long) r * (columns / 2);
                long at1 = (long) second * (columns / 2);
                scratch[units] = 0;
                scratch[units + 1] = 0;
                for (int l = 0; l < 16; l += LANES) {
                    groupDots2(quants, at0 + 4 * l, at1 + 4 * l, scratch, d0, d1, x, l, groups, units);
                }
                y[r] = 16 * scratch[units] + tail(r, x, scratch, d0);
                y[second] = 16 * scratch[units + 1] + tail(second, x, scratch, d1);
            }
        }
    }

    /** {@code out[l] = -1.5 (x[l] + x[l + 16])}: what takes the 1.5 off a block's sums, by lanes. */
    private static void takeOff(float[] x, int at, float[] out, int outAt) {
        for (int l = 0; l < 16; l++) {
            out[outAt + l] = -1.5f * (x[at + l] + x[at + 16 + l]);
        }
    }

    /** The columns past the last whole group. */
    private float tail(int row, float[] x, float[] scales, int scalesAt) {
        float sum = 0;
        for (int c = columns - columns % GROUP; c < columns; c++) {
            sum = Math.fma(scales[scalesAt + c / BLOCK] * (nibble(row, c) - 8), x[c], sum);
        }
        return sum;
    }

    /**
     * {@code Σ scale * (nibble - 8) / 16 * x} over the groups of 2 rows, for their words from l on as many as a vector has,
     * added to {@code scratch[u]} and {@code scratch[u + 1]}. Spelled out, as the compiler stops inlining methods of ours
     * (not the Vector API's) in large ones, and a vector it does not inline is an object.
     */
    private static void groupDots2(
            MemorySegment w, long w0, long w1, float[] scratch, int d0, int d1, float[] x, int l, int groups, int u) {
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, t0, t1, v;
        for (int g = 0; g < groups; g++) {
            IntVector words0 =
                    IntVector.fromMemorySegment(I32, w, w0 + (long) g * GROUP_BYTES, ByteOrder.LITTLE_ENDIAN);
            IntVector words1 =
                    IntVector.fromMemorySegment(I32, w, w1 + (long) g * GROUP_BYTES, ByteOrder.LITTLE_ENDIAN);
            int xo = g * GROUP + l;
            FloatVector start = FloatVector.fromArray(F32, scratch, 4 * 16 * g + l);
            v = FloatVector.fromArray(F32, x, xo);
            t0 = words0.lanewise(VectorOperators.LSHL, 19)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            t1 = words1.lanewise(VectorOperators.LSHL, 19)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            v = FloatVector.fromArray(F32, x, xo + 16);
            t0 = words0.lanewise(VectorOperators.LSHL, 15)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t0);
            t1 = words1.lanewise(VectorOperators.LSHL, 15)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t1);
            s0 = t0.fma(FloatVector.broadcast(F32, scratch[d0 + 4 * g]), s0);
            s1 = t1.fma(FloatVector.broadcast(F32, scratch[d1 + 4 * g]), s1);
            start = FloatVector.fromArray(F32, scratch, (4 * g + 1) * 16 + l);
            v = FloatVector.fromArray(F32, x, xo + 32);
            t0 = words0.lanewise(VectorOperators.LSHL, 11)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            t1 = words1.lanewise(VectorOperators.LSHL, 11)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            v = FloatVector.fromArray(F32, x, xo + 48);
            t0 = words0.lanewise(VectorOperators.LSHL, 7)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t0);
            t1 = words1.lanewise(VectorOperators.LSHL, 7)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t1);
            s0 = t0.fma(FloatVector.broadcast(F32, scratch[d0 + 4 * g + 1]), s0);
            s1 = t1.fma(FloatVector.broadcast(F32, scratch[d1 + 4 * g + 1]), s1);
            start = FloatVector.fromArray(F32, scratch, (4 * g + 2) * 16 + l);
            v = FloatVector.fromArray(F32, x, xo + 64);
            t0 = words0.lanewise(VectorOperators.LSHL, 3)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            t1 = words1.lanewise(VectorOperators.LSHL, 3)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            v = FloatVector.fromArray(F32, x, xo + 80);
            t0 = words0.lanewise(VectorOperators.LSHR, 1)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t0);
            t1 = words1.lanewise(VectorOperators.LSHR, 1)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t1);
            s0 = t0.fma(FloatVector.broadcast(F32, scratch[d0 + 4 * g + 2]), s0);
            s1 = t1.fma(FloatVector.broadcast(F32, scratch[d1 + 4 * g + 2]), s1);
            start = FloatVector.fromArray(F32, scratch, (4 * g + 3) * 16 + l);
            v = FloatVector.fromArray(F32, x, xo + 96);
            t0 = words0.lanewise(VectorOperators.LSHR, 5)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            t1 = words1.lanewise(VectorOperators.LSHR, 5)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, start);
            v = FloatVector.fromArray(F32, x, xo + 112);
            t0 = words0.lanewise(VectorOperators.LSHR, 9)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t0);
            t1 = words1.lanewise(VectorOperators.LSHR, 9)
                    .and(NIBBLE)
                    .or(ONE)
                    .viewAsFloatingLanes()
                    .fma(v, t1);
            s0 = t0.fma(FloatVector.broadcast(F32, scratch[d0 + 4 * g + 3]), s0);
            s1 = t1.fma(FloatVector.broadcast(F32, scratch[d1 + 4 * g + 3]), s1);
        }
        scratch[u] += Simd.sum(s0);
        scratch[u + 1] += Simd.sum(s1);
    }
}
