package dev.xlstm.tensor;

import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** Products of float32 matrices on the heap, tiled for registers: those of the mLSTM cell. */
public final class Gemm {

    private Gemm() {}

    /**
     * {@code C[m, n] += A[m, k] B[k, n]}. Takes the 13 arguments of BLAS's gemm: each matrix is an array, an offset and a
     * stride. B and C are row-major; A is read as {@code a[aOffset + row * aRow + column * aColumn]}, which lets a transposed
     * matrix do without a copy.
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
        boolean vectors = KernelWarmup.vectorsAreCompiled();
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
     * 4 rows by 4 vectors of C stay in registers over the whole of k. The hot loops call nothing but the Vector API: in
     * methods of this size C2 no longer inlines our own, and a vector that crosses a call is an object.
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
}
