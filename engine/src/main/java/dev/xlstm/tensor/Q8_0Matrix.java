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
 * Numbers of 8 bits in [-127, 127]. The 16 bits of a row in a line are the numbers of two columns,
 * {@code v = (w0 + 128) + 256 w1}.
 *
 * <p>{@code v x0 + (v >> 8) (x1 - 256 x0) - 128 x0 = w0 x0 + w1 x1} modulo 2^16, at most 32258, so 16 bits hold it exactly.
 * With 2^15 added it is not negative, and ints made of two rows can be summed without taking them apart: {@code A += t}
 * and {@code B += t >>> 16}. At the end of a block B is the sum of the high row and {@code A - (B << 16)} that of the low one;
 * both start at {@code -16 * 2^15}, which cancels the bias.
 */
final class Q8_0Matrix extends QuantizedMatrix {

    private static final int BLOCK_LINES = BLOCK / 2;
    private static final int SCALES = BLOCK_LINES * LINE; // byte of a block
    private static final int BLOCK_BYTES = SCALES + LINE;
    private static final int BIAS = -BLOCK_LINES << 15;
    private static final int BYTES = 0x00ff00ff;
    private static final int SIGNS = 0x00800080;
    private static final int FACTORS = 3; // of a line and a row of x

    private static final boolean SHORT_SHIFTS = Simd.SHORT_SHIFTS; // see Q4_0Matrix
    private static final ShortVector BY_8 = ShortVector.broadcast(WIDE_I16, 8);

    private static final KernelWarmup ONE_ROW = new KernelWarmup(4 * PANEL);
    private static final KernelWarmup GROUPS = new KernelWarmup(2 * PANEL);
    private static final KernelWarmup TILES = new KernelWarmup(2 * PANEL);

    private final KernelWarmup.Loops tiles = new ExactTiles(this);

    Q8_0Matrix(MemorySegment data, int rows, int columns) {
        this(data, 0, rows, columns);
    }

    private Q8_0Matrix(MemorySegment data, int first, int rows, int columns) {
        super(data, first, rows, columns, ONE_ROW, GROUPS);
    }

    @Override
    public WeightFormat format() {
        return WeightFormat.Q8_0;
    }

    @Override
    protected WeightMatrix of(int firstRow, int count) {
        return new Q8_0Matrix(data, firstRow, count, columns);
    }

    @Override
    protected int number(long at, int column) {
        int pair = data.get(Simd.SHORT, at + column / 2 * LINE);
        return column % 2 == 0 ? (pair & 255) - 128 : pair >> 8;
    }

    @Override
    protected void multiplyMany(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        TILES.run(tiles, x, y, from, to, columns, scratch);
    }

    @Override
    protected void dots4(RoundedActivations x, int t, int count, long w0, long w1, long w2, long w3, float[] out) {
        for (int l = 0; l < INTS; l += LANES) {
            int at = 4 * l;
            dots4(
                    data,
                    w0 + at,
                    w1 + at,
                    w2 + at,
                    w3 + at,
                    count,
                    x.q8(),
                    t * columns / 2 * FACTORS,
                    x.scales(),
                    x.scaleAt(t, 0),
                    out,
                    l);
        }
    }

    @Override
    protected void dots2x4(RoundedActivations x, int t, int count, long w0, long w1, float[] out) {
        int stride = columns / 2 * FACTORS;
        for (int l = 0; l < INTS; l += LANES) {
            int at = 4 * l;
            dots2x4(
                    data,
                    w0 + at,
                    w1 + at,
                    count,
                    x.q8(),
                    t * stride,
                    stride,
                    x.scales(),
                    x.scaleAt(t, 0),
                    columns / BLOCK,
                    out,
                    l);
        }
    }

    /** Multiplies the numbers of two rows, in the halves of an int, at once: a pair's sum of either fits in 16 bits. */
    @Override
    protected void scalarDots(RoundedActivations x, long panelAt, float[] out) {
        Arrays.fill(out, 0, PANEL, 0f);
        int[] factors = x.integers();
        for (int b = 0; b < columns / BLOCK; b++) {
            long at = panelAt + (long) b * BLOCK_BYTES;
            float scale = x.scales()[b];
            for (int i = 0; i < INTS; i++) {
                int low = 0;
                long both = 0; // low + 2^16 high
                for (int line = 0; line < BLOCK_LINES; line++) {
                    int v = data.get(Simd.INT, at + line * LINE + 4 * i);
                    int c = b * BLOCK + 2 * line;
                    int even = (v & BYTES) - SIGNS;
                    int odd = (v >>> 8 & BYTES ^ SIGNS) - SIGNS;
                    int sum = even * factors[c] + odd * factors[c + 1];
                    low += (short) sum;
                    both += sum;
                }
                int high = (int) (both - low >> 16);
                int d = data.get(Simd.INT, at + SCALES + 4 * i);
                out[i] = Math.fma((float) low, Float.intBitsToFloat(d << 16) * scale, out[i]);
                out[i + INTS] = Math.fma((float) high, Float.intBitsToFloat(d & UPPER) * scale, out[i + INTS]);
            }
        }
    }

    @Override
    protected void scalarNumbers(long blockAt, float[] out) {
        for (int line = 0; line < BLOCK_LINES; line++) {
            int at = 2 * line * PANEL;
            for (int r = 0; r < PANEL; r++) {
                int v = data.get(Simd.SHORT, blockAt + line * LINE + byteInLine(r));
                out[at + r] = (v & 255) - 128;
                out[at + PANEL + r] = v >> 8;
            }
        }
    }

    /** Four panels by one row of x, for {@link Simd#LANES} ints of each line. Spelled out as in {@link Q4_0Matrix}. */
    private static void dots4(
            MemorySegment w,
            long w0,
            long w1,
            long w2,
            long w3,
            int blocks,
            int[] x,
            int xAt,
            float[] scales,
            int scaleAt,
            float[] out,
            int outAt) {
        Simd.mayFault(w, w0);
        ShortVector by8 = BY_8;
        FloatVector l0 = FloatVector.zero(F32), l1 = l0, l2 = l0, l3 = l0, h0 = l0, h1 = l0, h2 = l0, h3 = l0;
        for (int b = 0; b < blocks; b++) {
            IntVector a0 = IntVector.broadcast(I32, BIAS),
                    a1 = a0,
                    a2 = a0,
                    a3 = a0,
                    b0 = a0,
                    b1 = a0,
                    b2 = a0,
                    b3 = a0;
            long at = (long) b * BLOCK_BYTES;
            int factors = xAt + b * (BLOCK_LINES * FACTORS);
            for (int line = 0; line < SCALES; line += LINE) {
                int f = factors + line / LINE * FACTORS;
                ShortVector x0 = IntVector.broadcast(I32, x[f]).reinterpretAsShorts();
                ShortVector x1 = IntVector.broadcast(I32, x[f + 1]).reinterpretAsShorts();
                ShortVector bias = IntVector.broadcast(I32, x[f + 2]).reinterpretAsShorts();
                ShortVector v = ShortVector.fromMemorySegment(WIDE_I16, w, w0 + at + line, ByteOrder.LITTLE_ENDIAN);
                IntVector s = v.mul(x0)
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.ASHR, by8)
                                        : v.lanewise(VectorOperators.ASHR, 8))
                                .mul(x1))
                        .add(bias)
                        .reinterpretAsInts();
                a0 = a0.add(s);
                b0 = b0.add(s.lanewise(VectorOperators.LSHR, 16));
                v = ShortVector.fromMemorySegment(WIDE_I16, w, w1 + at + line, ByteOrder.LITTLE_ENDIAN);
                s = v.mul(x0)
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.ASHR, by8)
                                        : v.lanewise(VectorOperators.ASHR, 8))
                                .mul(x1))
                        .add(bias)
                        .reinterpretAsInts();
                a1 = a1.add(s);
                b1 = b1.add(s.lanewise(VectorOperators.LSHR, 16));
                v = ShortVector.fromMemorySegment(WIDE_I16, w, w2 + at + line, ByteOrder.LITTLE_ENDIAN);
                s = v.mul(x0)
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.ASHR, by8)
                                        : v.lanewise(VectorOperators.ASHR, 8))
                                .mul(x1))
                        .add(bias)
                        .reinterpretAsInts();
                a2 = a2.add(s);
                b2 = b2.add(s.lanewise(VectorOperators.LSHR, 16));
                v = ShortVector.fromMemorySegment(WIDE_I16, w, w3 + at + line, ByteOrder.LITTLE_ENDIAN);
                s = v.mul(x0)
                        .add((SHORT_SHIFTS
                                        ? v.lanewise(VectorOperators.ASHR, by8)
                                        : v.lanewise(VectorOperators.ASHR, 8))
                                .mul(x1))
                        .add(bias)
                        .reinterpretAsInts();
                a3 = a3.add(s);
                b3 = b3.add(s.lanewise(VectorOperators.LSHR, 16));
            }
            float scale = scales[scaleAt + b];
            IntVector d = IntVector.fromMemorySegment(I32, w, w0 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l0 = ((FloatVector) a0.sub(b0.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l0);
            h0 = ((FloatVector) b0.convert(VectorOperators.I2F, 0))
                    .fma(d.and(UPPER).reinterpretAsFloats().mul(scale), h0);
            d = IntVector.fromMemorySegment(I32, w, w1 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l1 = ((FloatVector) a1.sub(b1.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l1);
            h1 = ((FloatVector) b1.convert(VectorOperators.I2F, 0))
                    .fma(d.and(UPPER).reinterpretAsFloats().mul(scale), h1);
            d = IntVector.fromMemorySegment(I32, w, w2 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l2 = ((FloatVector) a2.sub(b2.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l2);
            h2 = ((FloatVector) b2.convert(VectorOperators.I2F, 0))
                    .fma(d.and(UPPER).reinterpretAsFloats().mul(scale), h2);
            d = IntVector.fromMemorySegment(I32, w, w3 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            l3 = ((FloatVector) a3.sub(b3.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(
                            d.lanewise(VectorOperators.LSHL, 16)
                                    .reinterpretAsFloats()
                                    .mul(scale),
                            l3);
            h3 = ((FloatVector) b3.convert(VectorOperators.I2F, 0))
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

    /** Two panels by four rows of x, each {@code xStride} factors after the other: a line's shift serves all four. */
    private static void dots2x4(
            MemorySegment w,
            long w0,
            long w1,
            int blocks,
            int[] x,
            int xAt,
            int xStride,
            float[] scales,
            int scaleAt,
            int scaleStride,
            float[] out,
            int outAt) {
        Simd.mayFault(w, w0);
        ShortVector by8 = BY_8;
        int scale1 = scaleAt + scaleStride, scale2 = scale1 + scaleStride, scale3 = scale2 + scaleStride;
        FloatVector vl0 = FloatVector.zero(F32),
                vh0 = vl0,
                vl1 = vl0,
                vh1 = vl0,
                vl2 = vl0,
                vh2 = vl0,
                vl3 = vl0,
                vh3 = vl0,
                ul0 = vl0,
                uh0 = vl0,
                ul1 = vl0,
                uh1 = vl0,
                ul2 = vl0,
                uh2 = vl0,
                ul3 = vl0,
                uh3 = vl0;
        for (int b = 0; b < blocks; b++) {
            IntVector va0 = IntVector.broadcast(I32, BIAS),
                    va1 = va0,
                    va2 = va0,
                    va3 = va0,
                    vb0 = va0,
                    vb1 = va0,
                    vb2 = va0,
                    vb3 = va0,
                    ua0 = va0,
                    ua1 = va0,
                    ua2 = va0,
                    ua3 = va0,
                    ub0 = va0,
                    ub1 = va0,
                    ub2 = va0,
                    ub3 = va0;
            long at = (long) b * BLOCK_BYTES;
            int factors = xAt + b * (BLOCK_LINES * FACTORS);
            for (int line = 0; line < SCALES; line += LINE) {
                int f0 = factors + line / LINE * FACTORS, f1 = f0 + xStride, f2 = f1 + xStride, f3 = f2 + xStride;
                ShortVector v = ShortVector.fromMemorySegment(WIDE_I16, w, w0 + at + line, ByteOrder.LITTLE_ENDIAN);
                ShortVector u = ShortVector.fromMemorySegment(WIDE_I16, w, w1 + at + line, ByteOrder.LITTLE_ENDIAN);
                ShortVector v8 =
                        SHORT_SHIFTS ? v.lanewise(VectorOperators.ASHR, by8) : v.lanewise(VectorOperators.ASHR, 8);
                ShortVector u8 =
                        SHORT_SHIFTS ? u.lanewise(VectorOperators.ASHR, by8) : u.lanewise(VectorOperators.ASHR, 8);
                ShortVector x0 = IntVector.broadcast(I32, x[f0]).reinterpretAsShorts();
                ShortVector x1 = IntVector.broadcast(I32, x[f0 + 1]).reinterpretAsShorts();
                ShortVector bias = IntVector.broadcast(I32, x[f0 + 2]).reinterpretAsShorts();
                IntVector s = v.mul(x0).add(v8.mul(x1)).add(bias).reinterpretAsInts();
                va0 = va0.add(s);
                vb0 = vb0.add(s.lanewise(VectorOperators.LSHR, 16));
                s = u.mul(x0).add(u8.mul(x1)).add(bias).reinterpretAsInts();
                ua0 = ua0.add(s);
                ub0 = ub0.add(s.lanewise(VectorOperators.LSHR, 16));
                x0 = IntVector.broadcast(I32, x[f1]).reinterpretAsShorts();
                x1 = IntVector.broadcast(I32, x[f1 + 1]).reinterpretAsShorts();
                bias = IntVector.broadcast(I32, x[f1 + 2]).reinterpretAsShorts();
                s = v.mul(x0).add(v8.mul(x1)).add(bias).reinterpretAsInts();
                va1 = va1.add(s);
                vb1 = vb1.add(s.lanewise(VectorOperators.LSHR, 16));
                s = u.mul(x0).add(u8.mul(x1)).add(bias).reinterpretAsInts();
                ua1 = ua1.add(s);
                ub1 = ub1.add(s.lanewise(VectorOperators.LSHR, 16));
                x0 = IntVector.broadcast(I32, x[f2]).reinterpretAsShorts();
                x1 = IntVector.broadcast(I32, x[f2 + 1]).reinterpretAsShorts();
                bias = IntVector.broadcast(I32, x[f2 + 2]).reinterpretAsShorts();
                s = v.mul(x0).add(v8.mul(x1)).add(bias).reinterpretAsInts();
                va2 = va2.add(s);
                vb2 = vb2.add(s.lanewise(VectorOperators.LSHR, 16));
                s = u.mul(x0).add(u8.mul(x1)).add(bias).reinterpretAsInts();
                ua2 = ua2.add(s);
                ub2 = ub2.add(s.lanewise(VectorOperators.LSHR, 16));
                x0 = IntVector.broadcast(I32, x[f3]).reinterpretAsShorts();
                x1 = IntVector.broadcast(I32, x[f3 + 1]).reinterpretAsShorts();
                bias = IntVector.broadcast(I32, x[f3 + 2]).reinterpretAsShorts();
                s = v.mul(x0).add(v8.mul(x1)).add(bias).reinterpretAsInts();
                va3 = va3.add(s);
                vb3 = vb3.add(s.lanewise(VectorOperators.LSHR, 16));
                s = u.mul(x0).add(u8.mul(x1)).add(bias).reinterpretAsInts();
                ua3 = ua3.add(s);
                ub3 = ub3.add(s.lanewise(VectorOperators.LSHR, 16));
            }
            IntVector d = IntVector.fromMemorySegment(I32, w, w0 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            FloatVector low = d.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector high = d.and(UPPER).reinterpretAsFloats();
            vl0 = ((FloatVector) va0.sub(vb0.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scaleAt + b]), vl0);
            vh0 = ((FloatVector) vb0.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scaleAt + b]), vh0);
            vl1 = ((FloatVector) va1.sub(vb1.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale1 + b]), vl1);
            vh1 = ((FloatVector) vb1.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scale1 + b]), vh1);
            vl2 = ((FloatVector) va2.sub(vb2.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale2 + b]), vl2);
            vh2 = ((FloatVector) vb2.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scale2 + b]), vh2);
            vl3 = ((FloatVector) va3.sub(vb3.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale3 + b]), vl3);
            vh3 = ((FloatVector) vb3.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scale3 + b]), vh3);
            d = IntVector.fromMemorySegment(I32, w, w1 + at + SCALES, ByteOrder.LITTLE_ENDIAN);
            low = d.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            high = d.and(UPPER).reinterpretAsFloats();
            ul0 = ((FloatVector) ua0.sub(ub0.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scaleAt + b]), ul0);
            uh0 = ((FloatVector) ub0.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scaleAt + b]), uh0);
            ul1 = ((FloatVector) ua1.sub(ub1.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale1 + b]), ul1);
            uh1 = ((FloatVector) ub1.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scale1 + b]), uh1);
            ul2 = ((FloatVector) ua2.sub(ub2.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale2 + b]), ul2);
            uh2 = ((FloatVector) ub2.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scale2 + b]), uh2);
            ul3 = ((FloatVector) ua3.sub(ub3.lanewise(VectorOperators.LSHL, 16)).convert(VectorOperators.I2F, 0))
                    .fma(low.mul(scales[scale3 + b]), ul3);
            uh3 = ((FloatVector) ub3.convert(VectorOperators.I2F, 0)).fma(high.mul(scales[scale3 + b]), uh3);
        }
        vl0.intoArray(out, outAt + 0 * PANEL);
        vh0.intoArray(out, outAt + 0 * PANEL + INTS);
        ul0.intoArray(out, outAt + 1 * PANEL);
        uh0.intoArray(out, outAt + 1 * PANEL + INTS);
        vl1.intoArray(out, outAt + 2 * PANEL);
        vh1.intoArray(out, outAt + 2 * PANEL + INTS);
        ul1.intoArray(out, outAt + 3 * PANEL);
        uh1.intoArray(out, outAt + 3 * PANEL + INTS);
        vl2.intoArray(out, outAt + 4 * PANEL);
        vh2.intoArray(out, outAt + 4 * PANEL + INTS);
        ul2.intoArray(out, outAt + 5 * PANEL);
        uh2.intoArray(out, outAt + 5 * PANEL + INTS);
        vl3.intoArray(out, outAt + 6 * PANEL);
        vh3.intoArray(out, outAt + 6 * PANEL + INTS);
        ul3.intoArray(out, outAt + 7 * PANEL);
        uh3.intoArray(out, outAt + 7 * PANEL + INTS);
    }

    /** {@code out[c, r] =} the numbers of a block, {@code [BLOCK, PANEL]}. */
    void unpackBlock(int panel, int block, float[] out, int at) {
        for (int lane = 0; lane < INTS; lane += LANES) {
            unpackLines(data, panelAt(panel) + (long) block * BLOCK_BYTES + 4 * lane, out, at + lane);
        }
    }

    private static void unpackLines(MemorySegment w, long from, float[] out, int at) {
        Simd.mayFault(w, from);
        for (int line = 0; line < BLOCK_LINES; line++) {
            IntVector v = IntVector.fromMemorySegment(I32, w, from + line * LINE, ByteOrder.LITTLE_ENDIAN);
            int even = at + 2 * line * PANEL;
            int odd = even + PANEL;
            ((FloatVector) v.and(255).sub(128).convert(VectorOperators.I2F, 0)).intoArray(out, even);
            ((FloatVector) v.lanewise(VectorOperators.LSHR, 16)
                            .and(255)
                            .sub(128)
                            .convert(VectorOperators.I2F, 0))
                    .intoArray(out, even + INTS);
            ((FloatVector) v.lanewise(VectorOperators.LSHL, 16)
                            .lanewise(VectorOperators.ASHR, 24)
                            .convert(VectorOperators.I2F, 0))
                    .intoArray(out, odd);
            ((FloatVector) v.lanewise(VectorOperators.ASHR, 24).convert(VectorOperators.I2F, 0))
                    .intoArray(out, odd + INTS);
        }
    }

    /** {@code out[r] =} the scales of a block. */
    void unpackScales(int panel, int block, float[] out, int at) {
        long from = panelAt(panel) + (long) block * BLOCK_BYTES + SCALES;
        for (int lane = 0; lane < INTS; lane += LANES) {
            IntVector d = IntVector.fromMemorySegment(I32, data, from + 4 * lane, ByteOrder.LITTLE_ENDIAN);
            d.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, at + lane);
            d.and(UPPER).reinterpretAsFloats().intoArray(out, at + lane + INTS);
        }
    }
}
