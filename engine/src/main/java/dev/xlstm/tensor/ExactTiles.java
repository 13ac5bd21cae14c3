package dev.xlstm.tensor;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * The product of a q8_0 matrix with many rows of activations: the numbers of both are unpacked to float32 and multiplied
 * there. A sum of a block is a whole number below 2^24 on the way as well, so float32 holds it exactly, and the result has
 * the bits of the integer kernels. Those take seven instructions for 64 weights and a row of activations, these four and a
 * share of the unpacking.
 */
final class ExactTiles implements KernelWarmup.Loops {

    /** Columns unpacked at once: as much of two panels stays in the L2 cache, and of the activations in the L1 cache. */
    static final int COLUMNS = 256;

    private static final int BLOCK = WeightMatrix.BLOCK;
    private static final int PANEL = QuantizedMatrix.PANEL;
    private static final int BLOCKS = COLUMNS / BLOCK;
    private static final int SLAB = 2; // panels unpacked at once

    // scratch memory: numbers [panel, column, row of the panel], scales [panel, block, row], outputs [row of x, panel,
    // row]
    private static final int SCALES = SLAB * COLUMNS * PANEL;
    private static final int OUTPUTS = SCALES + SLAB * BLOCKS * PANEL;
    private static final int STRIDE = SLAB * PANEL; // of the outputs
    static final int SCRATCH_FLOATS = OUTPUTS + WeightMatrix.MAX_ROWS * STRIDE;

    private final Q8_0Matrix w;

    ExactTiles(Q8_0Matrix w) {
        this.w = w;
    }

    @Override
    public void vectors(PackedActivations packed, float[] y, int from, int to, float[] scratch) {
        RoundedActivations x = packed.rounded();
        int blocks = w.columns() / BLOCK;
        int end = w.panelAfter(to);
        for (int panel = w.panelOf(from); panel < end; panel += SLAB) {
            int panels = Math.min(SLAB, end - panel);
            Arrays.fill(scratch, OUTPUTS, OUTPUTS + x.rows() * STRIDE, 0f);
            for (int block = 0; block < blocks; block += BLOCKS) {
                int count = Math.min(BLOCKS, blocks - block);
                for (int p = 0; p < panels; p++) {
                    unpack(panel + p, block, count, scratch, p);
                    multiply(x, block, count, scratch, p);
                }
            }
            for (int t = 0; t < x.rows(); t++) {
                for (int p = 0; p < panels; p++) {
                    w.store(scratch, OUTPUTS + t * STRIDE + p * PANEL, panel + p, y, t, from, to);
                }
            }
        }
    }

    @Override
    public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        w.scalarPanels(x.rounded(), y, from, to, scratch);
    }

    @Override
    public void warmUp(PackedActivations packed, float[] y, int from, int to, float[] scratch) {
        RoundedActivations x = packed.rounded();
        unpack(w.panelOf(from), 0, 1, scratch, 0);
        tile8x2(scratch, 0, SCALES, OUTPUTS, 1, x.numbers(), 0, x.scales(), 0, 0);
        tile1x2(scratch, 0, SCALES, OUTPUTS, 1, x.numbers(), 0, x.scales(), 0);
    }

    private void unpack(int panel, int block, int count, float[] scratch, int p) {
        for (int b = 0; b < count; b++) {
            w.unpackBlock(panel, block + b, scratch, (p * COLUMNS + b * BLOCK) * PANEL);
            w.unpackScales(panel, block + b, scratch, SCALES + (p * BLOCKS + b) * PANEL);
        }
    }

    private static void multiply(RoundedActivations x, int block, int count, float[] scratch, int p) {
        int blocks = x.columns() / BLOCK;
        int rows = x.rows();
        for (int lane = 0; lane < PANEL; lane += 2 * LANES) {
            int numbers = p * COLUMNS * PANEL + lane;
            int scales = SCALES + p * BLOCKS * PANEL + lane;
            int t = 0;
            for (; t + 8 <= rows; t += 8) {
                int out = OUTPUTS + t * STRIDE + p * PANEL + lane;
                int at = x.numberAt(t, block * BLOCK);
                tile8x2(scratch, numbers, scales, out, count, x.numbers(), at, x.scales(), x.scaleAt(t, block), blocks);
            }
            for (; t < rows; t++) {
                int out = OUTPUTS + t * STRIDE + p * PANEL + lane;
                int at = x.numberAt(t, block * BLOCK);
                tile1x2(scratch, numbers, scales, out, count, x.numbers(), at, x.scales(), x.scaleAt(t, block));
            }
        }
    }

    /**
     * 8 rows of x by two vectors of rows of the matrix; the 16 sums stay in registers over a block. Takes arrays and offsets,
     * as C2 inlines nothing but the Vector API in methods of this size.
     *
     * @param s scratch memory with numbers, scales and outputs
     * @param x numbers of x, rows {@link #COLUMNS} apart
     * @param xScales of x, rows {@code stride} apart
     */
    private static void tile8x2(
            float[] s,
            int numbers,
            int scales,
            int out,
            int blocks,
            float[] x,
            int xAt,
            float[] xScales,
            int scaleAt,
            int stride) {
        for (int b = 0; b < blocks; b++) {
            FloatVector a0 = FloatVector.zero(F32), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
            FloatVector b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0, b6 = a0, b7 = a0;
            int w = numbers + b * (BLOCK * PANEL);
            int at = xAt + b * BLOCK;
            for (int c = 0; c < BLOCK; c++) {
                FloatVector u = FloatVector.fromArray(F32, s, w + c * PANEL);
                FloatVector v = FloatVector.fromArray(F32, s, w + c * PANEL + LANES);
                FloatVector f = FloatVector.broadcast(F32, x[at + c]);
                a0 = u.fma(f, a0);
                b0 = v.fma(f, b0);
                f = FloatVector.broadcast(F32, x[at + 1 * COLUMNS + c]);
                a1 = u.fma(f, a1);
                b1 = v.fma(f, b1);
                f = FloatVector.broadcast(F32, x[at + 2 * COLUMNS + c]);
                a2 = u.fma(f, a2);
                b2 = v.fma(f, b2);
                f = FloatVector.broadcast(F32, x[at + 3 * COLUMNS + c]);
                a3 = u.fma(f, a3);
                b3 = v.fma(f, b3);
                f = FloatVector.broadcast(F32, x[at + 4 * COLUMNS + c]);
                a4 = u.fma(f, a4);
                b4 = v.fma(f, b4);
                f = FloatVector.broadcast(F32, x[at + 5 * COLUMNS + c]);
                a5 = u.fma(f, a5);
                b5 = v.fma(f, b5);
                f = FloatVector.broadcast(F32, x[at + 6 * COLUMNS + c]);
                a6 = u.fma(f, a6);
                b6 = v.fma(f, b6);
                f = FloatVector.broadcast(F32, x[at + 7 * COLUMNS + c]);
                a7 = u.fma(f, a7);
                b7 = v.fma(f, b7);
            }
            FloatVector u = FloatVector.fromArray(F32, s, scales + b * PANEL);
            FloatVector v = FloatVector.fromArray(F32, s, scales + b * PANEL + LANES);
            float scale = xScales[scaleAt + 0 * stride + b];
            a0.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 0 * STRIDE))
                    .intoArray(s, out + 0 * STRIDE);
            b0.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 0 * STRIDE + LANES))
                    .intoArray(s, out + 0 * STRIDE + LANES);
            scale = xScales[scaleAt + 1 * stride + b];
            a1.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 1 * STRIDE))
                    .intoArray(s, out + 1 * STRIDE);
            b1.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 1 * STRIDE + LANES))
                    .intoArray(s, out + 1 * STRIDE + LANES);
            scale = xScales[scaleAt + 2 * stride + b];
            a2.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 2 * STRIDE))
                    .intoArray(s, out + 2 * STRIDE);
            b2.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 2 * STRIDE + LANES))
                    .intoArray(s, out + 2 * STRIDE + LANES);
            scale = xScales[scaleAt + 3 * stride + b];
            a3.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 3 * STRIDE))
                    .intoArray(s, out + 3 * STRIDE);
            b3.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 3 * STRIDE + LANES))
                    .intoArray(s, out + 3 * STRIDE + LANES);
            scale = xScales[scaleAt + 4 * stride + b];
            a4.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 4 * STRIDE))
                    .intoArray(s, out + 4 * STRIDE);
            b4.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 4 * STRIDE + LANES))
                    .intoArray(s, out + 4 * STRIDE + LANES);
            scale = xScales[scaleAt + 5 * stride + b];
            a5.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 5 * STRIDE))
                    .intoArray(s, out + 5 * STRIDE);
            b5.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 5 * STRIDE + LANES))
                    .intoArray(s, out + 5 * STRIDE + LANES);
            scale = xScales[scaleAt + 6 * stride + b];
            a6.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 6 * STRIDE))
                    .intoArray(s, out + 6 * STRIDE);
            b6.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 6 * STRIDE + LANES))
                    .intoArray(s, out + 6 * STRIDE + LANES);
            scale = xScales[scaleAt + 7 * stride + b];
            a7.fma(u.mul(scale), FloatVector.fromArray(F32, s, out + 7 * STRIDE))
                    .intoArray(s, out + 7 * STRIDE);
            b7.fma(v.mul(scale), FloatVector.fromArray(F32, s, out + 7 * STRIDE + LANES))
                    .intoArray(s, out + 7 * STRIDE + LANES);
        }
    }

    private static void tile1x2(
            float[] s, int numbers, int scales, int out, int blocks, float[] x, int xAt, float[] xScales, int scaleAt) {
        for (int b = 0; b < blocks; b++) {
            FloatVector a0 = FloatVector.zero(F32), b0 = a0;
            int w = numbers + b * (BLOCK * PANEL);
            int at = xAt + b * BLOCK;
            for (int c = 0; c < BLOCK; c++) {
                FloatVector f = FloatVector.broadcast(F32, x[at + c]);
                a0 = FloatVector.fromArray(F32, s, w + c * PANEL).fma(f, a0);
                b0 = FloatVector.fromArray(F32, s, w + c * PANEL + LANES).fma(f, b0);
            }
            float scale = xScales[scaleAt + b];
            FloatVector u = FloatVector.fromArray(F32, s, scales + b * PANEL).mul(scale);
            FloatVector v =
                    FloatVector.fromArray(F32, s, scales + b * PANEL + LANES).mul(scale);
            a0.fma(u, FloatVector.fromArray(F32, s, out)).intoArray(s, out);
            b0.fma(v, FloatVector.fromArray(F32, s, out + LANES)).intoArray(s, out + LANES);
        }
    }
}
