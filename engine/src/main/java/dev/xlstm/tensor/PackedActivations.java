package dev.xlstm.tensor;

/**
 * Rows of activations in the orders in which products with matrices read them; packed once for all the matrices that do.
 *
 * <p>A single row stays as it is, with the sums of its blocks beside it, for quantised matrices. For several rows, plain
 * matrices want columns turned inside out, {@code [group, column, row of group]}, a group being as many rows as two vectors
 * have lanes, or as one vector has if that is enough; rows past the last are zero. Quantised matrices want {@code [block of
 * columns, row, column of block]}.
 */
public final class PackedActivations {

    /** Rows of a group. */
    static final int GROUP = 2 * Simd.LANES;

    private final int columns;
    private boolean forPlain;
    private boolean forQuantized;
    private float[] x; // [rows, columns]
    private int rows;
    private float[] groups = {};
    private float[] blocks = {};
    private float[] sums = {};

    public PackedActivations(int columns) {
        this.columns = columns;
    }

    /** Announces a matrix that will be multiplied with these activations. */
    public void serve(WeightMatrix matrix) {
        boolean quantized = matrix instanceof QuantizedMatrix;
        forQuantized |= quantized;
        forPlain |= !quantized;
    }

    /** Makes room for {@code x [rows, columns]}; every group is then to be packed, in any order, by any thread. */
    public void begin(float[] x, int rows) {
        this.x = x;
        this.rows = rows;
        if (rows == 1) {
            sumBlocks();
            return;
        }
        if (forPlain && groups.length < groups() * width() * columns) {
            groups = new float[groups() * width() * columns];
        }
        int columnBlocks = (columns + MatrixProduct.BLOCK_COLUMNS - 1) / MatrixProduct.BLOCK_COLUMNS;
        if (forQuantized && blocks.length < columnBlocks * rows * MatrixProduct.BLOCK_COLUMNS) {
            blocks = new float[columnBlocks * rows * MatrixProduct.BLOCK_COLUMNS];
        }
    }

    private void sumBlocks() {
        if (!forQuantized) {
            return;
        }
        if (sums.length == 0) {
            sums = new float[2 * (columns / WeightMatrix.BLOCK)];
        }
        for (int b = 0; b < sums.length / 2; b++) {
            float even = 0;
            float odd = 0;
            for (int c = b * WeightMatrix.BLOCK; c < (b + 1) * WeightMatrix.BLOCK; c += 2) {
                even += x[c];
                odd += x[c + 1];
            }
            sums[2 * b] = even;
            sums[2 * b + 1] = odd;
        }
    }

    /** Groups to pack: none of a single row. */
    public int groups() {
        return rows == 1 ? 0 : (rows + GROUP - 1) / GROUP;
    }

    /** Rows that a group has room for: a half-empty one would waste half of the innermost cache. */
    int width() {
        return rows <= Simd.LANES ? Simd.LANES : GROUP;
    }

    public void pack(int group) {
        int first = group * GROUP;
        int count = Math.min(GROUP, rows - first);
        if (forPlain) {
            turn(group * width() * columns, first, count);
        }
        for (int c = 0; forQuantized && c < columns; c += MatrixProduct.BLOCK_COLUMNS) {
            int k = Math.min(MatrixProduct.BLOCK_COLUMNS, columns - c);
            for (int r = first; r < first + count; r++) {
                System.arraycopy(x, r * columns + c, blocks, c * rows + r * MatrixProduct.BLOCK_COLUMNS, k);
            }
        }
    }

    private void turn(int at, int first, int count) {
        int width = width();
        // 16 columns at a time: the rows' cache lines are read once and the group's written whole
        for (int from = 0; from < columns; from += 16) {
            int to = Math.min(from + 16, columns);
            for (int r = 0; r < width; r++) {
                for (int c = from; c < to; c++) {
                    groups[at + c * width + r] = r < count ? x[(first + r) * columns + c] : 0;
                }
            }
        }
    }

    int rows() {
        return rows;
    }

    /** As they are, [rows, columns]. */
    float[] data() {
        return x;
    }

    /** {@code [group, column, width]}. */
    float[] turned() {
        return groups;
    }

    /** {@code [block of columns, row, BLOCK_COLUMNS]}. */
    float[] blocks() {
        return blocks;
    }

    /** Of a single row: for each block the sum of its even columns and that of its odd ones. */
    float[] sums() {
        return sums;
    }
}
