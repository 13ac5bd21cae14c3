package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

import static dev.xlstm.tensor.Simd.LANES;

/**
 * A matrix that stores each weight by itself, row after row. Subclasses have the loops that read them: these are what the
 * compiler looks at as a whole, and it must see what a load is.
 */
abstract sealed class PlainMatrix extends WeightMatrix permits F32Matrix, F16Matrix, BF16Matrix {

    /** Most rows of activations that are multiplied without unpacking: with more, tiles of unpacked weights are faster. */
    static final int FEW_ROWS = PackedActivations.GROUP;

    /** Weights of a row that the scalar product unpacks at once. */
    private static final int STRETCH = 1024;

    /** Vectors of a row in a run to get the loop compiled. */
    private static final int WARM_UP_VECTORS = 16;

    private static final int FEW_WARM_UP_VECTORS = 2; // as there are many sums of them

    protected final MemorySegment data; // [rows, columns]
    private final int weightBytes;
    private final Trial trial;
    private final Trial fewTrial;

    /**
     * @param data of all weights, each of {@code weightBytes}
     * @param trial of the format's {@link #dots}
     * @param fewTrial of its {@link #dots3x8}
     */
    protected PlainMatrix(MemorySegment data, int weightBytes, int rows, int columns, Trial trial, Trial fewTrial) {
        super(rows, columns);
        this.trial = trial;
        this.fewTrial = fewTrial;
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

    /**
     * Lane l of a vector sums the columns l, l + LANES, ... in this order; then the lanes are summed, then the columns that
     * fill no vector are added one by one.
     */
    @Override
    protected final void multiplyRow(PackedActivations packed, float[] y, int from, int to, float[] scratch) {
        float[] x = packed.data();
        int inLanes = columns & -LANES;
        for (int i = trial.warmUps(); i > 0; i--) {
            dots(x, Math.min(inLanes, WARM_UP_VECTORS * LANES), y, from, Math.min(from + 4, to), scratch);
        }
        int split = trial.split(from, to, 4);
        long start = trial.now();
        dots(x, inLanes, y, from, split, scratch);
        long middle = trial.now();
        scalarDots(x, inLanes, y, split, to, scratch);
        if (start > 0) {
            long vectors = (long) (split - from) * columns;
            trial.compare(vectors, (long) (to - split) * columns, start, middle, trial.now());
        }
        addRest(x, 1, y, from, to, scratch);
    }

    @Override
    protected final int fewRows() {
        return FEW_ROWS;
    }

    /**
     * Weights go from memory to registers, three rows
     * of them, a third of all apart, to eight rows of x: more sums than that have no place there.
     */
    @Override
    protected final void multiplyFew(PackedActivations packed, float[] y, int from, int to, float[] scratch) {
        int inLanes = columns & -LANES;
        int third = (to - from + 2) / 3;
        for (int i = fewTrial.warmUps(); i > 0; i--) {
            eight(0, 1, packed, Math.min(inLanes, FEW_WARM_UP_VECTORS * LANES), y, from, from, from, scratch);
        }
        int split = fewTrial.split(from, from + third, 1);
        long start = fewTrial.now();
        for (int r = from; r < split; r++) {
            int r1 = Math.min(r + third, to - 1); // rows past the last are the last
            int r2 = Math.min(r + 2 * third, to - 1);
            for (int first = 0; first < packed.rows(); first += PackedActivations.EIGHT) {
                int count = Math.min(PackedActivations.EIGHT, packed.rows() - first);
                eight(first, count, packed, inLanes, y, r, r1, r2, scratch);
            }
        }
        long middle = fewTrial.now();
        int vectors = 0;
        for (int first = from; first < to; first += third) {
            int done = Math.min(first + split - from, to);
            vectors += done - first;
            scalarFew(packed, inLanes, y, done, Math.min(first + third, to), scratch);
        }
        if (start > 0) {
            long work = (long) packed.rows() * columns;
            fewTrial.compare(vectors * work, (to - from - vectors) * work, start, middle, fewTrial.now());
        }
        addRest(packed.data(), packed.rows(), y, from, to, scratch);
    }

    /** For {@code count} rows of x from the first on, of 8. */
    private void eight(
            int first, int count, PackedActivations packed, int k, float[] y, int r0, int r1, int r2, float[] scratch) {
        dots3x8(r0, r1, r2, packed.eights(), packed.eightAt(first), k, scratch);
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
     * {@code y[r] = Σ_c W[r, c] x[c]} over the first k columns, a multiple of {@link Simd#LANES}, for r in [from, to). Rows are
     * taken four at a time, a quarter of them apart: each load of x serves four, and memory is read in four long streams.
     * Loops are kept bare, as the compiler gives up on inlining in large methods, and a vector it cannot inline is an object.
     */
    protected abstract void dots(float[] x, int k, float[] y, int from, int to, float[] scratch);

    /**
     * The same for three rows and eight of x: {@code scratch[(8 i + t) LANES + l] = Σ_j W[ri, l + j LANES] x[t, l + j LANES]}.
     *
     * @param x [k / LANES, 8, LANES] from byte xAt on
     */
    protected abstract void dots3x8(int r0, int r1, int r2, MemorySegment x, long xAt, int k, float[] scratch);

    /** Whether few rows of x may have to be there {@link PackedActivations#turned}. */
    final boolean fewInTrial() {
        return fewTrial.mayTakeScalars();
    }

    private void scalarDots(float[] x, int k, float[] y, int from, int to, float[] scratch) {
        for (int r = from; r < to; r++) {
            Arrays.fill(scratch, 0, LANES, 0f);
            for (int column = 0; column < k; column += STRETCH) {
                int count = Math.min(STRETCH, k - column);
                unpack(r, column, count, scratch, LANES);
                for (int lane = 0; lane < LANES; lane += 4) { // four, as each sum waits for itself
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

    /** The sums of each lane for all rows of x side by side: what the compiler makes vectors of by itself. */
    private void scalarFew(PackedActivations packed, int k, float[] y, int from, int to, float[] scratch) {
        int width = PackedActivations.GROUP;
        int weights = LANES * width;
        for (int r = from; r < to; r++) {
            Arrays.fill(scratch, 0, weights, 0f);
            for (int column = 0; column < k; column += STRETCH) {
                int count = Math.min(STRETCH, k - column);
                unpack(r, column, count, scratch, weights);
                scalarColumns(scratch, weights, count, packed.turned(), column * width, packed.rows());
            }
            for (int half = LANES / 2; half > 0; half /= 2) {
                for (int i = 0; i < half * width; i++) {
                    scratch[i] += scratch[half * width + i];
                }
            }
            for (int t = 0; t < packed.rows(); t++) {
                y[t * rows + r] = scratch[t];
            }
        }
    }

    /** Weights from an index on; the sums, {@code [LANES, GROUP]}, are at the beginning of the same array. */
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
