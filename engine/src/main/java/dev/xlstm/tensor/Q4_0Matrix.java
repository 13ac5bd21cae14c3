package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.I32;
import static dev.xlstm.tensor.Simd.LANES;
import static dev.xlstm.tensor.Simd.WIDE_I16;

/**
 * Numbers of 4 bits in [-8, 7], stored as n + 8. The 16 bits of a row in a line are the nibbles of four columns,
 * {@code v = n0 + 16 n1 + 256 n2 + 4096 n3}.
 *
 * <p>With {@code t_k = v >>> 4k} each nibble is {@code n_k = t_k - 16 t_(k+1)} modulo 2^16, and
 * {@code Σ n_k x_k = t0 x0 + t1 (x1 - 16 x0) + t2 (x2 - 16 x1) + t3 (x3 - 16 x2)}: no masks, as activations come as these
 * differences. The sum of a block, {@code Σ (n - 8) x}, is at most 8 * 127 * 32 = 32512, so 16 bits hold it exactly, whatever
 * overflows on the way; the accumulator starts at {@code -8 Σx}, which cancels the bias.
 */
final class Q4_0Matrix extends QuantizedMatrix {

    private static final int NIBBLES = 0x000f000f;
    private static final int BLOCK_LINES = BLOCK / 4;
    private static final int SCALES = BLOCK_LINES * LINE; // byte of a block
    private static final int BLOCK_BYTES = SCALES + LINE;

    /**
     * Whether shorts are shifted by a vector of counts, one instruction of AVX-512 and NEON. AVX2 has none: there, ints are
     * shifted and masks clear the bits that crossed. Shifting by a scalar count would load the count each time.
     */
    private static final boolean SHORT_SHIFTS = Simd.SHORT_SHIFTS;

    private static final ShortVector BY_4 = ShortVector.broadcast(WIDE_I16, 4);
    private static final ShortVector BY_8 = ShortVector.broadcast(WIDE_I16, 8);
    private static final ShortVector BY_12 = ShortVector.broadcast(WIDE_I16, 12);
    private static final IntVector LOW_12 = IntVector.broadcast(I32, 0x0fff0fff);
    private static final IntVector LOW_8 = IntVector.broadcast(I32, 0x00ff00ff);
    private static final IntVector LOW_4 = IntVector.broadcast(I32, 0x000f000f);

    private static final KernelWarmup ONE_ROW = new KernelWarmup(4 * PANEL);
    private static final KernelWarmup GROUPS = new KernelWarmup(2 * PANEL);

    Q4_0Matrix(MemorySegment data, int rows, int columns) {
        this(data, 0, rows, columns);
    }

    private Q4_0Matrix(MemorySegment data, int first, int rows, int columns) {
        super(data, first, rows, columns, ONE_ROW, GROUPS);
    }

    @Override
    public WeightFormat format() {
        return WeightFormat.Q4_0;
    }

    @Override
    protected WeightMatrix of(int firstRow, int count) {
        return new Q4_0Matrix(data, firstRow, count, columns);
    }

    @Override
    protected int number(long at, int column) {
        return (data.get(Simd.SHORT, at + column / 4 * LINE) >>> column % 4 * 4 & 15) - 8;
    }

    @Override
    protected void multiplyMany(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        multiplyGroups(x, y, from, to, scratch);
    }

    @Override
    protected void dots4(RoundedActivations x, int t, int count, long w0, long w1, long w2, long w3, float[] out) {
        int start = x.scaleAt(t, 0);
        for (int l = 0; l < INTS; l += LANES) {
            int at = 4 * l;
            dots4(
                    data,
                    w0 + at,
                    w1 + at,
                    w2 + at,
                    w3 + at,
                    count,
                    x.q4(),
                    t * columns,
                    x.q4Starts(),
                    x.scales(),
                    start,
                    out,
                    l);
        }
    }

    @Override
    protected void dots2x4(RoundedActivations x, int t, int count, long w0, long w1, float[] out) {
        int start = x.scaleAt(t, 0);
        int stride = columns / BLOCK;
        for (int l = 0; l < INTS; l += LANES) {
            int at = 4 * l;
            dots2x4(
                    data,
                    w0 + at,
                    w1 + at,
                    count,
                    x.q4(),
                    t * columns,
                    columns,
                    x.q4Starts(),
                    x.scales(),
                    start,
                    stride,
                    out,
                    l);
        }
    }

    /** Sums two rows in the halves of an int, of which the lower one's sign is known at the end: 16 bits hold it. */
    @Override
    protected void scalarDots(RoundedActivations x, long panelAt, float[] out) {
        Arrays.fill(out, 0, PANEL, 0f);
        int[] factors = x.integers();
        for (int b = 0; b < columns / BLOCK; b++) {
            long at = panelAt + (long) b * BLOCK_BYTES;
            int start = (short) x.q4Starts()[b] * 0x10001;
            float scale = x.scales()[b];
            for (int i = 0; i < INTS; i++) {
                int sum = start;
                for (int line = 0; line < BLOCK_LINES; line++) {
                    int v = data.get(Simd.INT, at + line * LINE + 4 * i);
                    int c = b * BLOCK + 4 * line;
                    sum += (v & NIBBLES) * factors[c]
                            + (v >>> 4 & NIBBLES) * factors[c + 1]
                            + (v >>> 8 & NIBBLES) * factors[c + 2]
                            + (v >>> 12 & NIBBLES) * factors[c + 3];
                }
                int low = (short) sum;
                int high = sum - low >> 16;
                int d = data.get(Simd.INT, at + SCALES + 4 * i);
                out[i] = Math.fma((float) low, Float.intBitsToFloat(d << 16) * scale, out[i]);
                out[i + INTS] = Math.fma((float) high, Float.intBitsToFloat(d & UPPER) * scale, out[i + INTS]);
            }
        }
    }

    @Override
    protected void scalarNumbers(long blockAt, float[] out) {
        for (int line = 0; line < BLOCK_LINES; line++) {
            int at = 4 * line * PANEL;
            for (int r = 0; r < PANEL; r++) {
                int v = data.get(Simd.SHORT, blockAt + line * LINE + byteInLine(r));
                out[at + r] = (v & 15) - 8;
                out[at + PANEL + r] = (v >>> 4 & 15) - 8;
                out[at + 2 * PANEL + r] = (v >>> 8 & 15) - 8;
                out[at + 3 * PANEL + r] = (v >>> 12 & 15) - 8;
            }
        }
    }

    /**
     * Four panels by one row of x, for {@link Simd#LANES} ints of each line. Here and below a kernel takes arrays and offsets
     * in place of objects, and repeats its lines: C2 inlines nothing but the Vector API in methods of this size, and a vector
     * that crosses a call is an object.
     */
    private static void dots4(
            MemorySegment w,
            long w0,
            long w1,
            long w2,
            long w3,
            int blocks,
            int[] x,
            int xAt,
            int[] starts,
            float[] scales,
            int scaleAt,
            float[] out,
            int outAt) {
        Simd.mayFault(w, w0);
        ShortVector by4 = BY_4, by8 = BY_8, by12 = BY_12;
        IntVector low12 = LOW_12, low8 = LOW_8, low4 = LOW_4;
        FloatVector l0 = FloatVector.zero(F32), l1 = l0, l2 = l0, l3 = l0, h0 = l0, h1 = l0, h2 = l0, h3 = l0;
        for (int b = 0; b < blocks; b++) {
            ShortVector s0 = IntVector.broadcast(I32, starts[scaleAt + b]).reinterpretAsShorts(),
                    s1 = s0,
                    s2 = s0,
                    s3 = s0;
            long at = (long) b * BLOCK_BYTES;
            int column = xAt + b * BLOCK;
            for (int line = 0; line < SCALES; line += LINE) {
                int c = column + line / (LINE / 4);
                ShortVector x0 = IntVector.broadcast(I32, x[c + 0]).reinterpretAsShorts();
                ShortVector x1 = IntVector.broadcast(I32, x[c + 1]).reinterpretAsShorts();
                ShortVector x2 = IntVector.broadcast(I32, x[c + 2]).reinterpretAsShorts();
                ShortVector x3 = IntVector.broadcast(I32, x[c + 3]).reinterpretAsShorts();
                ShortVector v = ShortVector.fromMemorySegment(WIDE_I16, w, w0 + at + line, ByteOrder.LITTLE_ENDIAN);
                s0 = s0.add(v.mul(x0))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by4)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 4)
                                                .and(low12)
                                                .reinterpretAsShorts())
                                .mul(x1))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by8)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 8)
                                                .and(low8)
                                                .reinterpretAsShorts())
                                .mul(x2))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by12)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 12)
                                                .and(low4)
                                                .reinterpretAsShorts())
                                .mul(x3));
                v = ShortVector.fromMemorySegment(WIDE_I16, w, w1 + at + line, ByteOrder.LITTLE_ENDIAN);
                s1 = s1.add(v.mul(x0))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by4)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 4)
                                                .and(low12)
                                                .reinterpretAsShorts())
                                .mul(x1))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by8)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 8)
                                                .and(low8)
                                                .reinterpretAsShorts())
                                .mul(x2))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by12)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 12)
                                                .and(low4)
                                                .reinterpretAsShorts())
                                .mul(x3));
                v = ShortVector.fromMemorySegment(WIDE_I16, w, w2 + at + line, ByteOrder.LITTLE_ENDIAN);
                s2 = s2.add(v.mul(x0))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by4)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 4)
                                                .and(low12)
                                                .reinterpretAsShorts())
                                .mul(x1))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by8)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 8)
                                                .and(low8)
                                                .reinterpretAsShorts())
                                .mul(x2))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by12)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 12)
                                                .and(low4)
                                                .reinterpretAsShorts())
                                .mul(x3));
                v = ShortVector.fromMemorySegment(WIDE_I16, w, w3 + at + line, ByteOrder.LITTLE_ENDIAN);
                s3 = s3.add(v.mul(x0))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by4)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 4)
                                                .and(low12)
                                                .reinterpretAsShorts())
                                .mul(x1))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by8)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 8)
                                                .and(low8)
                                                .reinterpretAsShorts())
                                .mul(x2))
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.LSHR, by12)
                                        : v.reinterpretAsInts()
                                                .lanewise(VectorOperators.LSHR, 12)
                                                .and(low4)
                                                .reinterpretAsShorts())
                                .mul(x3));
            }
            float scale = scales[scaleAt + b];
            IntVector sum = s0.reinterpretAsInts();
            IntVector d = IntVector.fromMemorySegment(I32, w, w0 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l0 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l0);
            h0 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(d.and(UPPER).reinterpretAsFloats().mul(scale), h0);
            sum = s1.reinterpretAsInts();
            d = IntVector.fromMemorySegment(I32, w, w1 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l1 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l1);
            h1 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(d.and(UPPER).reinterpretAsFloats().mul(scale), h1);
            sum = s2.reinterpretAsInts();
            d = IntVector.fromMemorySegment(I32, w, w2 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l2 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l2);
            h2 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(d.and(UPPER).reinterpretAsFloats().mul(scale), h2);
            sum = s3.reinterpretAsInts();
            d = IntVector.fromMemorySegment(I32, w, w3 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l3 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l3);
            h3 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(d.and(UPPER).reinterpretAsFloats().mul(scale), h3);
        }
        l0.intoArray(out, outAt + 0 * PANEL);
        h0.intoArray(out, outAt + 0 * PANEL + INTS);
        l1.intoArray(out, outAt + 1 * PANEL);
        h1.intoArray(out, outAt + 1 * PANEL + INTS);
        l2.intoArray(out, outAt + 2 * PANEL);
        h2.intoArray(out, outAt + 2 * PANEL + INTS);
        l3.intoArray(out, outAt + 3 * PANEL);
        h3.intoArray(out, outAt + 3 * PANEL + INTS);
    }

    /** Two panels by four rows of x, each {@code stride} factors after the other: a line's shifts serve all four. */
    private static void dots2x4(
            MemorySegment w,
            long w0,
            long w1,
            int blocks,
            int[] x,
            int xAt,
            int xStride,
            int[] starts,
            float[] scales,
            int scaleAt,
            int scaleStride,
            float[] out,
            int outAt) {
        Simd.mayFault(w, w0);
        ShortVector by4 = BY_4, by8 = BY_8, by12 = BY_12;
        IntVector low12 = LOW_12, low8 = LOW_8, low4 = LOW_4;
        int scale1 = scaleAt + scaleStride, scale2 = scale1 + scaleStride, scale3 = scale2 + scaleStride;
        FloatVector al0 = FloatVector.zero(F32),
                al1 = al0,
                al2 = al0,
                al3 = al0,
                ah0 = al0,
                ah1 = al0,
                ah2 = al0,
                ah3 = al0,
                bl0 = al0,
                bl1 = al0,
                bl2 = al0,
                bl3 = al0,
                bh0 = al0,
                bh1 = al0,
                bh2 = al0,
                bh3 = al0;
        for (int b = 0; b < blocks; b++) {
            ShortVector a0 = IntVector.broadcast(I32, starts[scaleAt + b]).reinterpretAsShorts(), b0 = a0;
            ShortVector a1 = IntVector.broadcast(I32, starts[scale1 + b]).reinterpretAsShorts(), b1 = a1;
            ShortVector a2 = IntVector.broadcast(I32, starts[scale2 + b]).reinterpretAsShorts(), b2 = a2;
            ShortVector a3 = IntVector.broadcast(I32, starts[scale3 + b]).reinterpretAsShorts(), b3 = a3;
            long at = (long) b * BLOCK_BYTES;
            int column = xAt + b * BLOCK;
            for (int line = 0; line < SCALES; line += LINE) {
                int c0 = column + line / (LINE / 4), c1 = c0 + xStride, c2 = c1 + xStride, c3 = c2 + xStride;
                ShortVector v = ShortVector.fromMemorySegment(WIDE_I16, w, w0 + at + line, ByteOrder.LITTLE_ENDIAN);
                ShortVector u = ShortVector.fromMemorySegment(WIDE_I16, w, w1 + at + line, ByteOrder.LITTLE_ENDIAN);
                ShortVector f = IntVector.broadcast(I32, x[c0]).reinterpretAsShorts();
                a0 = a0.add(v.mul(f));
                b0 = b0.add(u.mul(f));
                f = IntVector.broadcast(I32, x[c1]).reinterpretAsShorts();
                a1 = a1.add(v.mul(f));
                b1 = b1.add(u.mul(f));
                f = IntVector.broadcast(I32, x[c2]).reinterpretAsShorts();
                a2 = a2.add(v.mul(f));
                b2 = b2.add(u.mul(f));
                f = IntVector.broadcast(I32, x[c3]).reinterpretAsShorts();
                a3 = a3.add(v.mul(f));
                b3 = b3.add(u.mul(f));
                ShortVector vk = SHORT_SHIFTS
                        ? v.lanewise(VectorOperators.LSHR, by4)
                        : v.reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 4)
                                .and(low12)
                                .reinterpretAsShorts();
                ShortVector uk = SHORT_SHIFTS
                        ? u.lanewise(VectorOperators.LSHR, by4)
                        : u.reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 4)
                                .and(low12)
                                .reinterpretAsShorts();
                f = IntVector.broadcast(I32, x[c0 + 1]).reinterpretAsShorts();
                a0 = a0.add(vk.mul(f));
                b0 = b0.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c1 + 1]).reinterpretAsShorts();
                a1 = a1.add(vk.mul(f));
                b1 = b1.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c2 + 1]).reinterpretAsShorts();
                a2 = a2.add(vk.mul(f));
                b2 = b2.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c3 + 1]).reinterpretAsShorts();
                a3 = a3.add(vk.mul(f));
                b3 = b3.add(uk.mul(f));
                vk = SHORT_SHIFTS
                        ? v.lanewise(VectorOperators.LSHR, by8)
                        : v.reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 8)
                                .and(low8)
                                .reinterpretAsShorts();
                uk = SHORT_SHIFTS
                        ? u.lanewise(VectorOperators.LSHR, by8)
                        : u.reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 8)
                                .and(low8)
                                .reinterpretAsShorts();
                f = IntVector.broadcast(I32, x[c0 + 2]).reinterpretAsShorts();
                a0 = a0.add(vk.mul(f));
                b0 = b0.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c1 + 2]).reinterpretAsShorts();
                a1 = a1.add(vk.mul(f));
                b1 = b1.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c2 + 2]).reinterpretAsShorts();
                a2 = a2.add(vk.mul(f));
                b2 = b2.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c3 + 2]).reinterpretAsShorts();
                a3 = a3.add(vk.mul(f));
                b3 = b3.add(uk.mul(f));
                vk = SHORT_SHIFTS
                        ? v.lanewise(VectorOperators.LSHR, by12)
                        : v.reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 12)
                                .and(low4)
                                .reinterpretAsShorts();
                uk = SHORT_SHIFTS
                        ? u.lanewise(VectorOperators.LSHR, by12)
                        : u.reinterpretAsInts()
                                .lanewise(VectorOperators.LSHR, 12)
                                .and(low4)
                                .reinterpretAsShorts();
                f = IntVector.broadcast(I32, x[c0 + 3]).reinterpretAsShorts();
                a0 = a0.add(vk.mul(f));
                b0 = b0.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c1 + 3]).reinterpretAsShorts();
                a1 = a1.add(vk.mul(f));
                b1 = b1.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c2 + 3]).reinterpretAsShorts();
                a2 = a2.add(vk.mul(f));
                b2 = b2.add(uk.mul(f));
                f = IntVector.broadcast(I32, x[c3 + 3]).reinterpretAsShorts();
                a3 = a3.add(vk.mul(f));
                b3 = b3.add(uk.mul(f));
            }
            IntVector d = IntVector.fromMemorySegment(I32, w, w0 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            FloatVector low = d.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector high = d.and(UPPER).reinterpretAsFloats();
            IntVector sum = a0.reinterpretAsInts();
            al0 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scaleAt + b]), al0);
            ah0 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scaleAt + b]), ah0);
            sum = a1.reinterpretAsInts();
            al1 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale1 + b]), al1);
            ah1 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scale1 + b]), ah1);
            sum = a2.reinterpretAsInts();
            al2 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale2 + b]), al2);
            ah2 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scale2 + b]), ah2);
            sum = a3.reinterpretAsInts();
            al3 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale3 + b]), al3);
            ah3 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scale3 + b]), ah3);
            d = IntVector.fromMemorySegment(I32, w, w1 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            low = d.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            high = d.and(UPPER).reinterpretAsFloats();
            sum = b0.reinterpretAsInts();
            bl0 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scaleAt + b]), bl0);
            bh0 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scaleAt + b]), bh0);
            sum = b1.reinterpretAsInts();
            bl1 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale1 + b]), bl1);
            bh1 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scale1 + b]), bh1);
            sum = b2.reinterpretAsInts();
            bl2 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale2 + b]), bl2);
            bh2 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scale2 + b]), bh2);
            sum = b3.reinterpretAsInts();
            bl3 = ((FloatVector) sum.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 16)
                            .convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale3 + b]), bl3);
            bh3 = ((FloatVector) sum.lanewise(VectorOperators.ASHR, 16).convert(VectorOperators.I2F, 0))
                    .fma(high.mul(scales[scale3 + b]), bh3);
        }
        al0.intoArray(out, outAt + 0 * PANEL);
        ah0.intoArray(out, outAt + 0 * PANEL + INTS);
        bl0.intoArray(out, outAt + 1 * PANEL);
        bh0.intoArray(out, outAt + 1 * PANEL + INTS);
        al1.intoArray(out, outAt + 2 * PANEL);
        ah1.intoArray(out, outAt + 2 * PANEL + INTS);
        bl1.intoArray(out, outAt + 3 * PANEL);
        bh1.intoArray(out, outAt + 3 * PANEL + INTS);
        al2.intoArray(out, outAt + 4 * PANEL);
        ah2.intoArray(out, outAt + 4 * PANEL + INTS);
        bl2.intoArray(out, outAt + 5 * PANEL);
        bh2.intoArray(out, outAt + 5 * PANEL + INTS);
        al3.intoArray(out, outAt + 6 * PANEL);
        ah3.intoArray(out, outAt + 6 * PANEL + INTS);
        bl3.intoArray(out, outAt + 7 * PANEL);
        bh3.intoArray(out, outAt + 7 * PANEL + INTS);
    }
}
