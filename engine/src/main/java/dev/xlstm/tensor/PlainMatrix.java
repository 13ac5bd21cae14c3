package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

import static dev.xlstm.tensor.Simd.LANES;

/**
 * A matrix that stores each weight by itself, row after row. Each subclass repeats the loops over weights so that C2 can
 * inline its load.
 */
abstract sealed class PlainMatrix extends WeightMatrix permits F32Matrix, F16Matrix, BF16Matrix {

    /** Weights of a row that the scalar loops unpack at once. */
    private static final int STRETCH = 1024;

    /** Vectors of a row in a warm-up run. */
    private static final int WARM_UP_VECTORS = 16;

    private static final int FEW_WARM_UP_VECTORS = 2; // fewer, as each meets 24 accumulators

    protected final MemorySegment data; // [rows, columns]
    private final int weightBytes;
    private final KernelWarmup oneWarmup;
    private final KernelWarmup fewWarmup;
    private final OneRow oneRow = new OneRow();
    private final FewRows fewRows = new FewRows();
    private final TiledProduct manyRows = new TiledProduct(this);

    /**
     * @param data of all weights, each of {@code weightBytes}
     * @param oneWarmup of the format's {@link #dots}
     * @param fewWarmup of its {@link #dots3x8}
     */
    protected PlainMatrix(
            MemorySegment data,
            int weightBytes,
            int rows,
            int columns,
            KernelWarmup oneWarmup,
            KernelWarmup fewWarmup) {
        super(rows, columns);
        this.oneWarmup = oneWarmup;
        this.fewWarmup = fewWarmup;
        this.data = data;
        this.weightBytes = weightBytes;
    }

    @Override
    public final long byteSize() {
        return data.byteSize();
    }

    @Override
    public final List<MemorySegment> data() {
        return List.of(data);
    }

    @Override
    public final WeightMatrix slice(int from, int to) {
        return of(data.asSlice(at(from, 0), at(to - from, 0)), to - from);
    }

    /** A matrix of the same format and width. */
    protected abstract WeightMatrix of(MemorySegment data, int rows);

    /** The byte at which a weight is. */
    protected final long at(int row, int column) {
        return weightBytes * ((long) row * columns + column);
    }

    @Override
    public final void multiply(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        switch (x.plainOrder()) {
            case ROW_MAJOR -> oneWarmup.run(oneRow, x, y, from, to, columns, scratch);
            case INTERLEAVED_BY_8 -> fewWarmup.run(fewRows, x, y, from, to, columns, scratch);
            case COLUMN_MAJOR_GROUPS -> TiledProduct.WARMUP.run(manyRows, x, y, from, to, columns, scratch);
        }
    }

    /**
     * The product with a single row of activations. Lane l of a vector sums the columns l, l + LANES, ... in this order; then
     * the lanes are summed, then the columns that fill no vector are added one by one.
     */
    private final class OneRow implements KernelWarmup.Loops {

        @Override
        public void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            dots(x.rowMajor(), columns & -LANES, y, from, to, scratch);
            addRest(x.rowMajor(), 1, y, from, to, scratch);
        }

        @Override
        public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            scalarDots(x.rowMajor(), columns & -LANES, y, from, to, scratch);
            addRest(x.rowMajor(), 1, y, from, to, scratch);
        }

        @Override
        public void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int k = Math.min(columns & -LANES, WARM_UP_VECTORS * LANES);
            dots(x.rowMajor(), k, y, from, Math.min(from + 4, to), scratch);
        }
    }

    /**
     * The product with few rows of activations, each of which has the bits it has alone. Weights go from memory to registers
     * without a copy: 3 rows of weights by 8 of activations, as 24 accumulators fill the 32 vector registers. The 3 rows are a
     * third of all apart, which makes three long streams through memory.
     */
    private final class FewRows implements KernelWarmup.Loops {

        @Override
        public void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int third = (to - from + 2) / 3;
            for (int r = from; r < from + third; r++) {
                int r1 = Math.min(r + third, to - 1); // a row past the last repeats the last
                int r2 = Math.min(r + 2 * third, to - 1);
                for (int first = 0; first < x.rows(); first += PackedActivations.INTERLEAVED_ROWS) {
                    int count = Math.min(PackedActivations.INTERLEAVED_ROWS, x.rows() - first);
                    threeByEight(x, first, count, columns & -LANES, y, r, r1, r2, scratch);
                }
            }
            addRest(x.rowMajor(), x.rows(), y, from, to, scratch);
        }

        @Override
        public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            scalarFew(x, columns & -LANES, y, from, to, scratch);
            addRest(x.rowMajor(), x.rows(), y, from, to, scratch);
        }

        @Override
        public void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int k = Math.min(columns & -LANES, FEW_WARM_UP_VECTORS * LANES);
            threeByEight(x, 0, 1, k, y, from, from, from, scratch);
        }
    }

    /**
     * Rows r0, r1 and r2 by {@code count} of 8 rows of activations from the first on. Has more than seven parameters, as an
     * object for them would be garbage in the innermost loop.
     */
    private void threeByEight(
            PackedActivations x, int first, int count, int k, float[] y, int r0, int r1, int r2, float[] scratch) {
        dots3x8(r0, r1, r2, x.interleavedBy8(), x.interleavedAt(first), k, scratch);
        for (int i = 0; i < 3; i++) {
            Simd.sums(scratch, 8 * i, 8 * i + count);
        }
        for (int t = 0; t < count; t++) {
            int at = (first + t) * rows;
            y[at + r0] = scratch[t];
            y[at + r1] = scratch[8 + t];
            y[at + r2] = scratch[16 + t];
        }
    }

    /** The columns that fill no vector. */
    private void addRest(float[] x, int n, float[] y, int from, int to, float[] scratch) {
        int inLanes = columns & -LANES;
        for (int r = from; inLanes < columns && r < to; r++) {
            unpack(r, inLanes, columns - inLanes, scratch, 0);
            for (int t = 0; t < n; t++) {
                for (int c = inLanes; c < columns; c++) {
                    y[t * rows + r] = Math.fma(scratch[c - inLanes], x[t * columns + c], y[t * rows + r]);
                }
            }
        }
    }

    /**
     * {@code y[r] = Σ_c W[r, c] x[c]} over the first k columns, a multiple of {@link Simd#LANES}, for r in [from, to). Takes four
     * rows at a time, a quarter of all apart: each load of x serves four, and memory is read in four long streams. Loops call
     * nothing but the Vector API: C2 stops inlining our methods in large ones, and a vector that crosses a call is an object.
     */
    protected abstract void dots(float[] x, int k, float[] y, int from, int to, float[] scratch);

    /**
     * The same for three rows and eight of x: {@code scratch[(8 i + t) LANES + l] = Σ_j W[ri, l + j LANES] x[t, l + j LANES]}.
     *
     * @param x [k / LANES, 8, LANES] from byte xAt on
     */
    protected abstract void dots3x8(int r0, int r1, int r2, MemorySegment x, long xAt, int k, float[] scratch);

    /** Whether the scalar loop for few rows may run, which reads {@link PackedActivations#columnMajorGroups}. */
    final boolean mayUseScalarsForFewRows() {
        return fewWarmup.mayUseScalars();
    }

    private void scalarDots(float[] x, int k, float[] y, int from, int to, float[] scratch) {
        for (int r = from; r < to; r++) {
            Arrays.fill(scratch, 0, LANES, 0f);
            for (int column = 0; column < k; column += STRETCH) {
                int count = Math.min(STRETCH, k - column);
                unpack(r, column, count, scratch, LANES);
                for (int lane = 0; lane < LANES; lane += 4) { // four chains of dependent additions side by side
                    float s0 = scratch[lane], s1 = scratch[lane + 1], s2 = scratch[lane + 2], s3 = scratch[lane + 3];
                    for (int i = lane; i < count; i += LANES) {
                        s0 = Math.fma(scratch[LANES + i], x[column + i], s0);
                        s1 = Math.fma(scratch[LANES + i + 1], x[column + i + 1], s1);
                        s2 = Math.fma(scratch[LANES + i + 2], x[column + i + 2], s2);
                        s3 = Math.fma(scratch[LANES + i + 3], x[column + i + 3], s3);
                    }
                    scratch[lane] = s0;
                    scratch[lane + 1] = s1;
                    scratch[lane + 2] = s2;
                    scratch[lane + 3] = s3;
                }
            }
            y[r] = Simd.sum(scratch, 0);
        }
    }

    /** Keeps the sums of each lane for all rows of x side by side, a loop that C2 vectorises by itself. */
    private void scalarFew(PackedActivations packed, int k, float[] y, int from, int to, float[] scratch) {
        int width = PackedActivations.GROUP;
        int weights = LANES * width;
        for (int r = from; r < to; r++) {
            for (int first = 0; first < packed.rows(); first += width) {
                int count = Math.min(width, packed.rows() - first);
                Arrays.fill(scratch, 0, weights, 0f);
                for (int column = 0; column < k; column += STRETCH) {
                    int stretch = Math.min(STRETCH, k - column);
                    unpack(r, column, stretch, scratch, weights);
                    int at = first * columns + column * width;
                    scalarColumns(scratch, weights, stretch, packed.columnMajorGroups(), at, count);
                }
                for (int half = LANES / 2; half > 0; half /= 2) {
                    for (int i = 0; i < half * width; i++) {
                        scratch[i] += scratch[half * width + i];
                    }
                }
                for (int t = 0; t < count; t++) {
                    y[(first + t) * rows + r] = scratch[t];
                }
            }
        }
    }

    /** The weights begin at an index of scratch, the sums {@code [LANES, GROUP]} at its start. */
    private static void scalarColumns(float[] scratch, int weights, int count, float[] x, int xAt, int rows) {
        for (int c = 0; c < count; c++) {
            float w = scratch[weights + c];
            int at = xAt + c * PackedActivations.GROUP;
            int sums = c % LANES * PackedActivations.GROUP;
            for (int t = 0; t < rows; t++) {
                scratch[sums + t] = Math.fma(w, x[at + t], scratch[sums + t]);
            }
        }
    }
}
