package dev.xlstm.tensor;

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
        int wide = 4 * LANES;
        for (int j = 0; j < n; ) {
            int left = n - j;
            int step = left >= wide ? wide : left >= LANES ? LANES : left;
            for (int i = 0; i < m; ) {
                int ao = aOffset + i * aRow;
                int co = cOffset + i * cRow + j;
                if (step == wide && i + 4 <= m) {
                    tile4x4(a, ao, aRow, aColumn, b, bOffset + j, bRow, c, co, cRow, k);
                    i += 4;
                } else if (step >= LANES) {
                    for (int jj = 0; jj < step; jj += LANES) {
                        row1x1(a, ao, aColumn, b, bOffset + j + jj, bRow, c, co + jj, k);
                    }
                    i++;
                } else {
                    for (int jj = 0; jj < step; jj++) {
                        float sum = c[co + jj];
                        for (int p = 0; p < k; p++) {
                            sum = Math.fma(a[ao + p * aColumn], b[bOffset + j + jj + p * bRow], sum);
                        }
                        c[co + jj] = sum;
                    }
                    i++;
                }
            }
            j += step;
        }
    }

    /** 4 rows by 4 vectors of C stay in registers over the whole of k. */
    private static void tile4x4(
            float[] a, int ao, int ar, int ac, float[] b, int bo, int br, float[] c, int co, int cr, int k) {
        int l = LANES;
        FloatVector c00 = load(c, co), c01 = load(c, co + l), c02 = load(c, co + 2 * l), c03 = load(c, co + 3 * l);
        int c1 = co + cr, c2 = c1 + cr, c3 = c2 + cr;
        FloatVector c10 = load(c, c1), c11 = load(c, c1 + l), c12 = load(c, c1 + 2 * l), c13 = load(c, c1 + 3 * l);
        FloatVector c20 = load(c, c2), c21 = load(c, c2 + l), c22 = load(c, c2 + 2 * l), c23 = load(c, c2 + 3 * l);
        FloatVector c30 = load(c, c3), c31 = load(c, c3 + l), c32 = load(c, c3 + 2 * l), c33 = load(c, c3 + 3 * l);
        for (int p = 0; p < k; p++) {
            int ap = ao + p * ac;
            int bp = bo + p * br;
            FloatVector b0 = load(b, bp), b1 = load(b, bp + l), b2 = load(b, bp + 2 * l), b3 = load(b, bp + 3 * l);
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
        store(c, co, c00, c01, c02, c03);
        store(c, c1, c10, c11, c12, c13);
        store(c, c2, c20, c21, c22, c23);
        store(c, c3, c30, c31, c32, c33);
    }

    private static void row1x1(float[] a, int ao, int ac, float[] b, int bo, int br, float[] c, int co, int k) {
        FloatVector sum = load(c, co);
        for (int p = 0; p < k; p++) {
            sum = FloatVector.broadcast(F32, a[ao + p * ac]).fma(load(b, bo + p * br), sum);
        }
        sum.intoArray(c, co);
    }

    /** Rows of a weight panel: as many outputs are computed while the panel stays in the cache. */
    static final int PANEL_ROWS = 16;

    /** Columns of a weight panel. */
    static final int PANEL_COLUMNS = 2048;

    /**
     * {@code y[t, r] = Σ_c W[r, c] x[t, c]} for all t in [0, n) and r in [from, to): the weights are unpacked to float32
     * panel by panel, each panel serving all n rows of activations.
     *
     * @param x [n, columns]
     * @param y [n, rows]
     * @param panel scratch of {@link WeightMatrix#PANEL_FLOATS}
     */
    static void multiply(WeightMatrix w, float[] x, int n, float[] y, int from, int to, float[] panel) {
        int columns = w.columns();
        int rows = w.rows();
        for (int column = 0; column < columns; column += PANEL_COLUMNS) {
            int k = Math.min(PANEL_COLUMNS, columns - column);
            boolean first = column == 0;
            for (int row = from; row < to; row += PANEL_ROWS) {
                int panelRows = Math.min(PANEL_ROWS, to - row);
                for (int r = 0; r < panelRows; r++) {
                    w.unpack(row + r, column, k, panel, r * PANEL_COLUMNS);
                }
                int t = 0;
                for (; t + 4 <= n; t += 4) {
                    for (int r = 0; r < panelRows; r += 4) {
                        int xo = t * columns + column;
                        int yo = t * rows + row + r;
                        dots4x4(panel, r * PANEL_COLUMNS, x, xo, columns, k, y, yo, rows, panelRows - r, first);
                    }
                }
                for (; t < n; t++) {
                    for (int r = 0; r < panelRows; r += 4) {
                        int xo = t * columns + column;
                        int yo = t * rows + row + r;
                        dots4x1(panel, r * PANEL_COLUMNS, x, xo, k, y, yo, panelRows - r, first);
                    }
                }
            }
        }
    }

    /**
     * Inner products of 4 panel rows with 4 rows of activations. The panel always has 4 rows to read; only
     * {@code valid} of them are written.
     */
    private static void dots4x4(
            float[] w, int wo, float[] x, int xo, int xr, int k, float[] y, int yo, int yr, int valid, boolean first) {
        int w1 = wo + PANEL_COLUMNS, w2 = w1 + PANEL_COLUMNS, w3 = w2 + PANEL_COLUMNS;
        int x1 = xo + xr, x2 = x1 + xr, x3 = x2 + xr;
        FloatVector s00 = FloatVector.zero(F32), s01 = s00, s02 = s00, s03 = s00;
        FloatVector s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        FloatVector s20 = s00, s21 = s00, s22 = s00, s23 = s00;
        FloatVector s30 = s00, s31 = s00, s32 = s00, s33 = s00;
        int bound = Simd.bound(k);
        for (int i = 0; i < bound; i += LANES) {
            FloatVector a0 = load(w, wo + i), a1 = load(w, w1 + i), a2 = load(w, w2 + i), a3 = load(w, w3 + i);
            FloatVector v = load(x, xo + i);
            s00 = a0.fma(v, s00);
            s01 = a1.fma(v, s01);
            s02 = a2.fma(v, s02);
            s03 = a3.fma(v, s03);
            v = load(x, x1 + i);
            s10 = a0.fma(v, s10);
            s11 = a1.fma(v, s11);
            s12 = a2.fma(v, s12);
            s13 = a3.fma(v, s13);
            v = load(x, x2 + i);
            s20 = a0.fma(v, s20);
            s21 = a1.fma(v, s21);
            s22 = a2.fma(v, s22);
            s23 = a3.fma(v, s23);
            v = load(x, x3 + i);
            s30 = a0.fma(v, s30);
            s31 = a1.fma(v, s31);
            s32 = a2.fma(v, s32);
            s33 = a3.fma(v, s33);
        }
        put(y, yo, valid, first, s00, s01, s02, s03, w, wo, x, xo, bound, k);
        put(y, yo + yr, valid, first, s10, s11, s12, s13, w, wo, x, x1, bound, k);
        put(y, yo + 2 * yr, valid, first, s20, s21, s22, s23, w, wo, x, x2, bound, k);
        put(y, yo + 3 * yr, valid, first, s30, s31, s32, s33, w, wo, x, x3, bound, k);
    }

    private static void dots4x1(
            float[] w, int wo, float[] x, int xo, int k, float[] y, int yo, int valid, boolean first) {
        int w1 = wo + PANEL_COLUMNS, w2 = w1 + PANEL_COLUMNS, w3 = w2 + PANEL_COLUMNS;
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0;
        int bound = Simd.bound(k);
        for (int i = 0; i < bound; i += LANES) {
            FloatVector v = load(x, xo + i);
            s0 = load(w, wo + i).fma(v, s0);
            s1 = load(w, w1 + i).fma(v, s1);
            s2 = load(w, w2 + i).fma(v, s2);
            s3 = load(w, w3 + i).fma(v, s3);
        }
        put(y, yo, valid, first, s0, s1, s2, s3, w, wo, x, xo, bound, k);
    }

    /** Adds the lanes and the columns past the last whole vector, and sets or adds to y. */
    private static void put(
            float[] y,
            int yo,
            int valid,
            boolean first,
            FloatVector s0,
            FloatVector s1,
            FloatVector s2,
            FloatVector s3,
            float[] w,
            int wo,
            float[] x,
            int xo,
            int from,
            int k) {
        float y0 = Simd.sum(s0), y1 = Simd.sum(s1), y2 = Simd.sum(s2), y3 = Simd.sum(s3);
        for (int i = from; i < k; i++) {
            float v = x[xo + i];
            y0 = Math.fma(w[wo + i], v, y0);
            y1 = Math.fma(w[wo + PANEL_COLUMNS + i], v, y1);
            y2 = Math.fma(w[wo + 2 * PANEL_COLUMNS + i], v, y2);
            y3 = Math.fma(w[wo + 3 * PANEL_COLUMNS + i], v, y3);
        }
        y[yo] = first ? y0 : y[yo] + y0;
        if (valid > 1) {
            y[yo + 1] = first ? y1 : y[yo + 1] + y1;
        }
        if (valid > 2) {
            y[yo + 2] = first ? y2 : y[yo + 2] + y2;
        }
        if (valid > 3) {
            y[yo + 3] = first ? y3 : y[yo + 3] + y3;
        }
    }

    private static FloatVector load(float[] a, int i) {
        return FloatVector.fromArray(F32, a, i);
    }

    private static void store(float[] c, int co, FloatVector v0, FloatVector v1, FloatVector v2, FloatVector v3) {
        v0.intoArray(c, co);
        v1.intoArray(c, co + LANES);
        v2.intoArray(c, co + 2 * LANES);
        v3.intoArray(c, co + 3 * LANES);
    }
}
