package dev.xlstm.tensor;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * The product of a plain matrix with many rows of activations: tiles of weights are unpacked to float32 scratch memory and
 * multiplied there, with the accumulators in registers. Every sum runs over the columns in their order, whichever loop
 * computes it.
 */
final class TiledProduct implements KernelWarmup.Loops {

    /** Columns of weights unpacked at once: as much of a group of activations stays in the L1 cache. */
    static final int TILE_COLUMNS = 256;

    static final KernelWarmup WARMUP = new KernelWarmup(8);

    private static final int GROUP = PackedActivations.GROUP;

    /** Rows of weights unpacked at once; their outputs are held in scratch memory. */
    private static final int SLAB_ROWS = 64;

    private static final int WARM_UP_COLUMNS = 16;

    private static final int SUMS = SLAB_ROWS * TILE_COLUMNS;

    /** The scratch array: unpacked weights of a slab, then its sums for each row of activations. */
    static final int SCRATCH_FLOATS = SUMS + SLAB_ROWS * WeightMatrix.MAX_ROWS;

    private final PlainMatrix w;

    TiledProduct(PlainMatrix w) {
        this.w = w;
    }

    @Override
    public void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        multiply(true, x, y, from, to, scratch);
    }

    @Override
    public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        multiply(false, x, y, from, to, scratch);
    }

    @Override
    public void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        tile8x2(scratch, 0, scratch, 8 * TILE_COLUMNS, WARM_UP_COLUMNS, scratch, SUMS, GROUP);
    }

    private void multiply(boolean vectors, PackedActivations x, float[] y, int from, int to, float[] scratch) {
        for (int slab = from; slab < to; slab += SLAB_ROWS) {
            multiplySlab(vectors, x, y, slab, Math.min(SLAB_ROWS, to - slab), scratch);
        }
    }

    /**
     * A lane is a row of activations: weights are unpacked to float32 in their stored order, and each one meets whole vectors
     * of activations, which leaves nothing to be summed across lanes.
     */
    private void multiplySlab(
            boolean vectors, PackedActivations x, float[] y, int slab, int slabRows, float[] scratch) {
        int stride = x.groups() * GROUP; // of the sums
        Arrays.fill(scratch, SUMS, SUMS + slabRows * stride, 0f);
        for (int column = 0; column < w.columns(); column += TILE_COLUMNS) {
            int k = Math.min(TILE_COLUMNS, w.columns() - column);
            for (int r = 0; r < slabRows; r++) {
                w.unpack(slab + r, column, k, scratch, r * TILE_COLUMNS);
            }
            for (int group = 0; group < x.groups(); group++) {
                float[] groups = x.columnMajorGroups();
                int at = (group * w.columns() + column) * GROUP;
                int sums = SUMS + group * GROUP;
                int count = Math.min(GROUP, x.rows() - group * GROUP);
                tiles(vectors, scratch, 0, slabRows, groups, at, k, scratch, sums, stride, count);
            }
        }
        for (int t = 0; t < x.rows(); t++) { // rows of y are far apart: each is written at once
            for (int r = 0; r < slabRows; r++) {
                y[t * w.rows() + slab + r] = scratch[SUMS + r * stride + t];
            }
        }
    }

    /**
     * {@code sums[i, j] += Σ_c a[i, c] b[c, j]} for i below rows and j below count, with rows of a {@link #TILE_COLUMNS} apart,
     * those of b {@link #GROUP}, those of the sums {@code stride}. The loops may read and write b and the sums past count, up to
     * whole vectors. Takes each matrix as an array and an offset, as tiles are parts of scratch memory.
     */
    private static void tiles(
            boolean vectors,
            float[] a,
            int ao,
            int rows,
            float[] b,
            int bo,
            int k,
            float[] sums,
            int so,
            int stride,
            int count) {
        int r = 0;
        for (; vectors && r + 8 <= rows; r += 8) {
            tile8x2(a, ao + r * TILE_COLUMNS, b, bo, k, sums, so + r * stride, stride);
        }
        for (; vectors && r < rows; r++) {
            for (int j = 0; j < count; j += LANES) {
                tile1x1(a, ao + r * TILE_COLUMNS, b, bo + j, k, sums, so + r * stride + j);
            }
        }
        for (; r < rows; r++) {
            scalarRow(a, ao + r * TILE_COLUMNS, b, bo, k, sums, so + r * stride, count);
        }
    }

    /** 8 rows of a by two vectors of b; the 16 accumulators stay in registers over the whole of k. */
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
            int at = bo + c * GROUP;
            FloatVector u = FloatVector.fromArray(F32, b, at);
            FloatVector v = FloatVector.fromArray(F32, b, at + LANES);
            FloatVector w = FloatVector.broadcast(F32, a[ao + c]);
            a0 = w.fma(u, a0);
            b0 = w.fma(v, b0);
            w = FloatVector.broadcast(F32, a[ao + TILE_COLUMNS + c]);
            a1 = w.fma(u, a1);
            b1 = w.fma(v, b1);
            w = FloatVector.broadcast(F32, a[ao + 2 * TILE_COLUMNS + c]);
            a2 = w.fma(u, a2);
            b2 = w.fma(v, b2);
            w = FloatVector.broadcast(F32, a[ao + 3 * TILE_COLUMNS + c]);
            a3 = w.fma(u, a3);
            b3 = w.fma(v, b3);
            w = FloatVector.broadcast(F32, a[ao + 4 * TILE_COLUMNS + c]);
            a4 = w.fma(u, a4);
            b4 = w.fma(v, b4);
            w = FloatVector.broadcast(F32, a[ao + 5 * TILE_COLUMNS + c]);
            a5 = w.fma(u, a5);
            b5 = w.fma(v, b5);
            w = FloatVector.broadcast(F32, a[ao + 6 * TILE_COLUMNS + c]);
            a6 = w.fma(u, a6);
            b6 = w.fma(v, b6);
            w = FloatVector.broadcast(F32, a[ao + 7 * TILE_COLUMNS + c]);
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

    /** One row of a by one vector of b. */
    private static void tile1x1(float[] a, int ao, float[] b, int bo, int k, float[] sums, int so) {
        FloatVector s = FloatVector.fromArray(F32, sums, so);
        for (int c = 0; c < k; c++) {
            s = FloatVector.broadcast(F32, a[ao + c]).fma(FloatVector.fromArray(F32, b, bo + c * GROUP), s);
        }
        s.intoArray(sums, so);
    }

    /** One row of a by {@code count} columns of b, in a loop that C2 vectorises by itself. */
    private static void scalarRow(float[] a, int ao, float[] b, int bo, int k, float[] sums, int so, int count) {
        for (int c = 0; c < k; c++) {
            float w = a[ao + c];
            int at = bo + c * GROUP;
            for (int t = 0; t < count; t++) {
                sums[so + t] = Math.fma(w, b[at + t], sums[so + t]);
            }
        }
    }
}
