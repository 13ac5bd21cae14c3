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

    /** Weights of a row that the scalar product unpacks at once. */
    private static final int STRETCH = 1024;

    /** Vectors of a row in a run to get the loop compiled. */
    private static final int WARM_UP_VECTORS = 16;

    protected final MemorySegment data; // [rows, columns]
    private final int weightBytes;
    private final Trial trial;

    /**
     * @param data of all weights, each of {@code weightBytes}
     * @param trial of the format's {@link #dots}
     */
    protected PlainMatrix(MemorySegment data, int weightBytes, int rows, int columns, Trial trial) {
        super(rows, columns);
        this.trial = trial;
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
        for (int r = from; inLanes < columns && r < to; r++) {
            unpack(r, inLanes, columns - inLanes, scratch, 0);
            for (int c = inLanes; c < columns; c++) {
                y[r] = Math.fma(scratch[c - inLanes], x[c], y[r]);
            }
        }
    }

    /**
     * {@code y[r] = Σ_c W[r, c] x[c]} over the first k columns, a multiple of {@link Simd#LANES}, for r in [from, to). Rows are
     * taken four at a time, a quarter of them apart: each load of x serves four, and memory is read in four long streams.
     * Loops are kept bare, as the compiler gives up on inlining in large methods, and a vector it cannot inline is an object.
     */
    protected abstract void dots(float[] x, int k, float[] y, int from, int to, float[] scratch);

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
}
