package dev.xlstm.tensor;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** Products of float32 matrices on the heap, blocked for registers. */
public final class MatrixProduct {

    private MatrixProduct() {}

    /**
     * {@code C[m, n] += A[m, k] B[k, n]}. B and C are row-major with the given distances between rows; A is read as
     * {@code a[aOffset + row * aRow + column * aColumn]}, so that a transposed matrix needs no copy.
     */
    public static void accumulate(
            float[] a,
            int aOffset,
            int aRow,
            int aColumn,
            float[] b,
            int bOffset,
            int bRow,
            float[] c,
            int cOffset,
            int cRow,
            int m,
            int k,
            int n) {
        boolean vectors = Trial.any();
        int wide = 4 * LANES;
        for (int j = 0; j < n; ) {
            int left = n - j;
            int step = !vectors ? left : left >= wide ? wide : left >= LANES ? LANES : left;
            for (int i = 0; i < m; ) {
                int ao = aOffset + i * aRow;
                int co = cOffset + i * cRow + j;
                if (!vectors || step < LANES) {
                    for (int jj = 0; jj < step; jj++) {
                        float sum = c[co + jj];
                        for (int p = 0; p < k; p++) {
                            sum = Math.fma(a[ao + p * aColumn], b[bOffset + j + jj + p * bRow], sum);
                        }
                        c[co + jj] = sum;
                    }
                    i++;
                } else if (step == wide && i + 4 <= m) {
                    tile4x4(a, ao, aRow, aColumn, b, bOffset + j, bRow, c, co, cRow, k);
                    i += 4;
                } else {
                    for (int jj = 0; jj < step; jj += LANES) {
                        row1x1(a, ao, aColumn, b, bOffset + j + jj, bRow, c, co + jj, k);
                    }
                    i++;
                }
            }
            j += step;
        }
    }

    /**
     * 4 rows by 4 vectors of C stay in registers over the whole of k. Here and below the hot loops call nothing but the
     * Vector API: in methods of this size the compiler no longer inlines ours, and a vector it does not inline is an object.
     */
    private static void tile4x4(
            float[] a, int ao, int ar, int ac, float[] b, int bo, int br, float[] c, int co, int cr, int k) {
        int l = LANES;
        int c1 = co + cr, c2 = c1 + cr, c3 = c2 + cr;
        FloatVector c00 = FloatVector.fromArray(F32, c, co);
        FloatVector c01 = FloatVector.fromArray(F32, c, co + l);
        FloatVector c02 = FloatVector.fromArray(F32, c, co + 2 * l);
        FloatVector c03 = FloatVector.fromArray(F32, c, co + 3 * l);
        FloatVector c10 = FloatVector.fromArray(F32, c, c1);
        FloatVector c11 = FloatVector.fromArray(F32, c, c1 + l);
        FloatVector c12 = FloatVector.fromArray(F32, c, c1 + 2 * l);
        FloatVector c13 = FloatVector.fromArray(F32, c, c1 + 3 * l);
        FloatVector c20 = FloatVector.fromArray(F32, c, c2);
        FloatVector c21 = FloatVector.fromArray(F32, c, c2 + l);
        FloatVector c22 = FloatVector.fromArray(F32, c, c2 + 2 * l);
        FloatVector c23 = FloatVector.fromArray(F32, c, c2 + 3 * l);
        FloatVector c30 = FloatVector.fromArray(F32, c, c3);
        FloatVector c31 = FloatVector.fromArray(F32, c, c3 + l);
        FloatVector c32 = FloatVector.fromArray(F32, c, c3 + 2 * l);
        FloatVector c33 = FloatVector.fromArray(F32, c, c3 + 3 * l);
        for (int p = 0; p < k; p++) {
            int ap = ao + p * ac;
            int bp = bo + p * br;
            FloatVector b0 = FloatVector.fromArray(F32, b, bp);
            FloatVector b1 = FloatVector.fromArray(F32, b, bp + l);
            FloatVector b2 = FloatVector.fromArray(F32, b, bp + 2 * l);
            FloatVector b3 = FloatVector.fromArray(F32, b, bp + 3 * l);
            FloatVector s = FloatVector.broadcast(F32, a[ap]);
            c00 = s.fma(b0, c00);
            c01 = s.fma(b1, c01);
            c02 = s.fma(b2, c02);
            c03 = s.fma(b3, c03);
            s = FloatVector.broadcast(F32, a[ap + ar]);
            c10 = s.fma(b0, c10);
            c11 = s.fma(b1, c11);
            c12 = s.fma(b2, c12);
            c13 = s.fma(b3, c13);
            s = FloatVector.broadcast(F32, a[ap + 2 * ar]);
            c20 = s.fma(b0, c20);
            c21 = s.fma(b1, c21);
            c22 = s.fma(b2, c22);
            c23 = s.fma(b3, c23);
            s = FloatVector.broadcast(F32, a[ap + 3 * ar]);
            c30 = s.fma(b0, c30);
            c31 = s.fma(b1, c31);
            c32 = s.fma(b2, c32);
            c33 = s.fma(b3, c33);
        }
        c00.intoArray(c, co);
        c01.intoArray(c, co + l);
        c02.intoArray(c, co + 2 * l);
        c03.intoArray(c, co + 3 * l);
        c10.intoArray(c, c1);
        c11.intoArray(c, c1 + l);
        c12.intoArray(c, c1 + 2 * l);
        c13.intoArray(c, c1 + 3 * l);
        c20.intoArray(c, c2);
        c21.intoArray(c, c2 + l);
        c22.intoArray(c, c2 + 2 * l);
        c23.intoArray(c, c2 + 3 * l);
        c30.intoArray(c, c3);
        c31.intoArray(c, c3 + l);
        c32.intoArray(c, c3 + 2 * l);
        c33.intoArray(c, c3 + 3 * l);
    }

    private static void row1x1(float[] a, int ao, int ac, float[] b, int bo, int br, float[] c, int co, int k) {
        FloatVector sum = FloatVector.fromArray(F32, c, co);
        for (int p = 0; p < k; p++) {
            sum = FloatVector.broadcast(F32, a[ao + p * ac]).fma(FloatVector.fromArray(F32, b, bo + p * br), sum);
        }
        sum.intoArray(c, co);
    }

    /** Weight rows unpacked at once; their outputs are held in scratch memory. */
    private static final int SLAB_ROWS = 64;

    /** Columns unpacked at once: as much of a group of activations stays in the innermost cache. */
    static final int BLOCK_COLUMNS = 256;

    /** Most rows of activations of a product; a multiple of {@link PackedActivations#GROUP}. */
    static final int MAX_ROWS = 256;

    /** Of a run to get a loop compiled. */
    private static final int WARM_UP_COLUMNS = 16;

    private static final Trial TILES = new Trial();

    private static final int SUMS = SLAB_ROWS * BLOCK_COLUMNS;

    /** Scales of the columns unpacked at once. */
    private static final int SCALES = QuantizedMatrix.PANEL * BLOCK_COLUMNS / WeightMatrix.BLOCK;

    /** The scratch array: unpacked weights of a slab, then its sums for each row of activations, then scales. */
    static final int SCRATCH_FLOATS = SUMS + SLAB_ROWS * MAX_ROWS + SCALES;

    /**
     * {@code y[t, r] = Σ_c W[r, c] x[t, c]} for all t in [0, n) and r in [from, to). Every sum runs over the columns in their
     * order, so that it does not matter which of the loops below computes it.
     *
     * @param x at most {@link #MAX_ROWS} rows
     * @param y [n, rows]
     * @param scratch of {@link #SCRATCH_FLOATS}
     */
    static void multiply(WeightMatrix w, PackedActivations x, float[] y, int from, int to, float[] scratch) {
        if (w instanceof QuantizedMatrix quantized) {
            multiplyQuantized(quantized, x, y, from, to, scratch);
        } else {
            multiplyPlain(w, x, y, from, to, scratch);
        }
    }

    /**
     * A lane is a row of weights, as these are stored: unpacked to {@code [pair of panels, column, 32 rows]} they meet the
     * activations one by one.
     */
    private static void multiplyQuantized(
            QuantizedMatrix w, PackedActivations x, float[] y, int from, int to, float[] scratch) {
        int wide = PackedActivations.GROUP; // rows of two vectors
        int rows = x.rows();
        for (int slab = from; slab < to; slab += SLAB_ROWS) {
            int slabRows = Math.min(SLAB_ROWS, to - slab);
            Arrays.fill(scratch, SUMS, SUMS + rows * SLAB_ROWS, 0f);
            for (int column = 0; column < w.columns(); column += BLOCK_COLUMNS) {
                int k = Math.min(BLOCK_COLUMNS, w.columns() - column);
                for (int r = 0; r < slabRows; r += wide) {
                    int count = Math.min(wide, slabRows - r);
                    int buffer = SCRATCH_FLOATS - SCALES;
                    w.unpackColumns(slab + r, count, column, k, scratch, r * BLOCK_COLUMNS, wide, scratch, buffer);
                    tiles(
                            x.blocks(),
                            column * rows,
                            rows,
                            scratch,
                            r * BLOCK_COLUMNS,
                            k,
                            scratch,
                            SUMS + r,
                            SLAB_ROWS,
                            wide);
                }
            }
            for (int t = 0; t < rows; t++) {
                System.arraycopy(scratch, SUMS + t * SLAB_ROWS, y, t * w.rows() + slab, slabRows);
            }
        }
    }

    /**
     * A lane is a row of activations: weights are unpacked to float32 as they lie and meet whole vectors of x one by one, so
     * nothing has to be summed across lanes.
     */
    private static void multiplyPlain(
            WeightMatrix w, PackedActivations x, float[] y, int from, int to, float[] scratch) {
        int stride = x.groups() * PackedActivations.GROUP; // of the sums
        for (int slab = from; slab < to; slab += SLAB_ROWS) {
            int slabRows = Math.min(SLAB_ROWS, to - slab);
            Arrays.fill(scratch, SUMS, SUMS + slabRows * stride, 0f);
            for (int column = 0; column < w.columns(); column += BLOCK_COLUMNS) {
                int k = Math.min(BLOCK_COLUMNS, w.columns() - column);
                for (int r = 0; r < slabRows; r++) {
                    w.unpack(slab + r, column, k, scratch, r * BLOCK_COLUMNS);
                }
                for (int group = 0; group < x.groups(); group++) {
                    int xo = (group * w.columns() + column) * PackedActivations.GROUP;
                    int so = SUMS + group * PackedActivations.GROUP;
                    int count = Math.min(PackedActivations.GROUP, x.rows() - group * PackedActivations.GROUP);
                    tiles(scratch, 0, slabRows, x.turned(), xo, k, scratch, so, stride, count);
                }
            }
            for (int t = 0; t < x.rows(); t++) { // rows of y are far apart: each is written at once
                for (int r = 0; r < slabRows; r++) {
                    y[t * w.rows() + slab + r] = scratch[SUMS + r * stride + t];
                }
            }
        }
    }

    /**
     * {@code sums[i, j] += Σ_c a[i, c] b[c, j]} for i below rows and j below count; a's rows are {@link #BLOCK_COLUMNS} apart,
     * b's {@link PackedActivations#GROUP}, those of the sums {@code stride}. What b and the sums have past count, up to whole
     * vectors, may be anything.
     */
    private static void tiles(
            float[] a, int ao, int rows, float[] b, int bo, int k, float[] sums, int so, int stride, int count) {
        int warmUps = rows >= 8 ? TILES.warmUps() : 0;
        float[] spare = warmUps > 0 ? new float[8 * 2 * LANES] : null;
        for (; warmUps > 0; warmUps--) {
            tile8x2(a, ao, b, bo, Math.min(k, WARM_UP_COLUMNS), spare, 0, 2 * LANES);
        }
        int split = TILES.split(0, rows, 8);
        long start = TILES.now();
        int r = 0;
        for (; r + 8 <= split; r += 8) {
            tile8x2(a, ao + r * BLOCK_COLUMNS, b, bo, k, sums, so + r * stride, stride);
        }
        for (; r < split; r++) {
            for (int j = 0; j < count; j += LANES) {
                row(a, ao + r * BLOCK_COLUMNS, b, bo + j, k, sums, so + r * stride + j);
            }
        }
        long middle = TILES.now();
        for (; r < rows; r++) {
            scalarRow(a, ao + r * BLOCK_COLUMNS, b, bo, k, sums, so + r * stride, count);
        }
        if (start > 0) {
            long vectors = (long) split * k * count;
            TILES.compare(vectors, (long) (rows - split) * k * count, start, middle, TILES.now());
        }
    }

    /** 8 rows. */
    private static void tile8x2(float[] a, int ao, float[] b, int bo, int k, float[] sums, int so, int stride) {
        int o1 = so + stride, o2 = o1 + stride, o3 = o2 + stride, o4 = o3 + stride, o5 = o4 + stride;
        int o6 = o5 + stride, o7 = o6 + stride;
        FloatVector a0 = FloatVector.fromArray(F32, sums, so);
        FloatVector b0 = FloatVector.fromArray(F32, sums, so + LANES);
        FloatVector a1 = FloatVector.fromArray(F32, sums, o1);
        FloatVector b1 = FloatVector.fromArray(F32, sums, o1 + LANES);
        FloatVector a2 = FloatVector.fromArray(F32, sums, o2);
        FloatVector b2 = FloatVector.fromArray(F32, sums, o2 + LANES);
        FloatVector a3 = FloatVector.fromArray(F32, sums, o3);
        FloatVector b3 = FloatVector.fromArray(F32, sums, o3 + LANES);
        FloatVector a4 = FloatVector.fromArray(F32, sums, o4);
        FloatVector b4 = FloatVector.fromArray(F32, sums, o4 + LANES);
        FloatVector a5 = FloatVector.fromArray(F32, sums, o5);
        FloatVector b5 = FloatVector.fromArray(F32, sums, o5 + LANES);
        FloatVector a6 = FloatVector.fromArray(F32, sums, o6);
        FloatVector b6 = FloatVector.fromArray(F32, sums, o6 + LANES);
        FloatVector a7 = FloatVector.fromArray(F32, sums, o7);
        FloatVector b7 = FloatVector.fromArray(F32, sums, o7 + LANES);
        for (int c = 0; c < k; c++) {
            int at = bo + c * PackedActivations.GROUP;
            FloatVector u = FloatVector.fromArray(F32, b, at);
            FloatVector v = FloatVector.fromArray(F32, b, at + LANES);
            FloatVector w = FloatVector.broadcast(F32, a[ao + c]);
            a0 = w.fma(u, a0);
            b0 = w.fma(v, b0);
            w = FloatVector.broadcast(F32, a[ao + BLOCK_COLUMNS + c]);
            a1 = w.fma(u, a1);
            b1 = w.fma(v, b1);
            w = FloatVector.broadcast(F32, a[ao + 2 * BLOCK_COLUMNS + c]);
            a2 = w.fma(u, a2);
            b2 = w.fma(v, b2);
            w = FloatVector.broadcast(F32, a[ao + 3 * BLOCK_COLUMNS + c]);
            a3 = w.fma(u, a3);
            b3 = w.fma(v, b3);
            w = FloatVector.broadcast(F32, a[ao + 4 * BLOCK_COLUMNS + c]);
            a4 = w.fma(u, a4);
            b4 = w.fma(v, b4);
            w = FloatVector.broadcast(F32, a[ao + 5 * BLOCK_COLUMNS + c]);
            a5 = w.fma(u, a5);
            b5 = w.fma(v, b5);
            w = FloatVector.broadcast(F32, a[ao + 6 * BLOCK_COLUMNS + c]);
            a6 = w.fma(u, a6);
            b6 = w.fma(v, b6);
            w = FloatVector.broadcast(F32, a[ao + 7 * BLOCK_COLUMNS + c]);
            a7 = w.fma(u, a7);
            b7 = w.fma(v, b7);
        }
        a0.intoArray(sums, so);
        b0.intoArray(sums, so + LANES);
        a1.intoArray(sums, o1);
        b1.intoArray(sums, o1 + LANES);
        a2.intoArray(sums, o2);
        b2.intoArray(sums, o2 + LANES);
        a3.intoArray(sums, o3);
        b3.intoArray(sums, o3 + LANES);
        a4.intoArray(sums, o4);
        b4.intoArray(sums, o4 + LANES);
        a5.intoArray(sums, o5);
        b5.intoArray(sums, o5 + LANES);
        a6.intoArray(sums, o6);
        b6.intoArray(sums, o6 + LANES);
        a7.intoArray(sums, o7);
        b7.intoArray(sums, o7 + LANES);
    }

    /** One row, one vector. */
    private static void row(float[] a, int ao, float[] b, int bo, int k, float[] sums, int so) {
        FloatVector s = FloatVector.fromArray(F32, sums, so);
        for (int c = 0; c < k; c++) {
            s = FloatVector.broadcast(F32, a[ao + c])
                    .fma(FloatVector.fromArray(F32, b, bo + c * PackedActivations.GROUP), s);
        }
        s.intoArray(sums, so);
    }

    private static void scalarRow(float[] a, int ao, float[] b, int bo, int k, float[] sums, int so, int count) {
        for (int c = 0; c < k; c++) {
            float w = a[ao + c];
            int at = bo + c * PackedActivations.GROUP;
            for (int t = 0; t < count; t++) {
                sums[so + t] = Math.fma(w, b[at + t], sums[so + t]);
            }
        }
    }
}
