package dev.xlstm.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

import static dev.xlstm.tensor.Simd.LANES;

/**
 * Rows of activations in the orders in which products with matrices read them; packed once for all the matrices that do.
 *
 * <p>A single row stays as it is. Few rows are taken eight at a time: plain matrices want {@code [eight, LANES columns, row of
 * eight, column]}, of the columns that fill vectors, in memory where no vector straddles two cache lines; quantised ones, of
 * eight rows at most, {@code [column, row of eight]} and the sums of blocks, or rows apart. Of more rows, plain matrices want
 * columns turned inside out, {@code [group, column, row of group]}, a group being as many rows as two vectors have lanes, and
 * quantised ones {@code [block of columns, row, column of block]}. Rows past the last are zero where they meet others in a
 * vector.
 */
public final class PackedActivations {

    /** Rows of a group. */
    static final int GROUP = 2 * LANES;

    /** Rows of an eight. */
    static final int EIGHT = 8;

    private static final int CACHE_LINE = 64; // bytes

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int columns;
    private final List<PlainMatrix> plain = new ArrayList<>();
    private boolean forQuantized;
    private boolean turning;
    private float[] x; // [rows, columns]
    private int rows;
    private MemorySegment eights = MemorySegment.NULL;
    private float[] groups = {};
    private float[] blocks = {};
    private boolean eightColumns;
    private float[] columnsOfEight = {};
    private float[] sums = {};
    private float[][] apart; // copies of very few rows
    private float[][] sumsApart;

    public PackedActivations(int columns) {
        this.columns = columns;
    }

    /** Announces a matrix that will be multiplied with these activations. */
    public void serve(WeightMatrix matrix) {
        forQuantized |= matrix instanceof QuantizedMatrix;
        if (matrix instanceof PlainMatrix one) {
            plain.add(one);
        }
    }

    /** Makes room for {@code x [rows, columns]}; every group is then to be packed, in any order, by any thread. */
    public void begin(float[] x, int rows) {
        this.x = x;
        this.rows = rows;
        if (forQuantized && sums.length == 0) {
            sums = new float[QuantizedMatrix.FEW_ROWS * sumsOfRow()];
        }
        if (rows == 1) {
            sumBlocks(0);
            return;
        }
        eightColumns = forQuantized && rows <= QuantizedMatrix.FEW_ROWS;
        if (eightColumns && columnsOfEight.length == 0) {
            columnsOfEight = new float[EIGHT * columns];
            apart = new float[QuantizedMatrix.VERY_FEW_ROWS][columns];
            sumsApart = new float[QuantizedMatrix.VERY_FEW_ROWS][sumsOfRow()];
        }
        if (forPlain() && few() && eights.byteSize() < eightAt(EIGHT * groups())) {
            eights = Arena.ofAuto().allocate(eightAt(EIGHT * groups()), CACHE_LINE);
        }
        int turned = few() ? 1 : groups();
        turning = forPlain() && (!few() || plain.stream().anyMatch(PlainMatrix::fewInTrial));
        if (turning && groups.length < turned * GROUP * columns) {
            groups = new float[turned * GROUP * columns];
        }
        int columnBlocks = (columns + MatrixProduct.BLOCK_COLUMNS - 1) / MatrixProduct.BLOCK_COLUMNS;
        if (forQuantized && !eightColumns && blocks.length < columnBlocks * rows * MatrixProduct.BLOCK_COLUMNS) {
            blocks = new float[columnBlocks * rows * MatrixProduct.BLOCK_COLUMNS];
        }
    }

    private void sumBlocks(int row) {
        for (int b = 0; forQuantized && b < columns / WeightMatrix.BLOCK; b++) {
            float even = 0;
            float odd = 0;
            int at = row * columns + b * WeightMatrix.BLOCK;
            for (int c = at; c < at + WeightMatrix.BLOCK; c += 2) {
                even += x[c];
                odd += x[c + 1];
            }
            sums[row * sumsOfRow() + 2 * b] = even;
            sums[row * sumsOfRow() + 2 * b + 1] = odd;
        }
    }

    private boolean forPlain() {
        return !plain.isEmpty();
    }

    private boolean few() {
        return rows <= PlainMatrix.FEW_ROWS;
    }

    /** Groups to pack, or eights: none of a single row. */
    public int groups() {
        int height = few() ? EIGHT : GROUP;
        return rows == 1 ? 0 : (rows + height - 1) / height;
    }

    public void pack(int group) {
        int height = few() ? EIGHT : GROUP;
        int first = group * height;
        int count = Math.min(height, rows - first);
        if (forPlain() && few()) {
            interleave(first, count);
        }
        if (turning) {
            turn(first, height, count);
        }
        for (int r = 0; eightColumns && r < rows; r++) {
            sumBlocks(r);
            if (rows <= QuantizedMatrix.VERY_FEW_ROWS) {
                System.arraycopy(x, r * columns, apart[r], 0, columns);
                System.arraycopy(sums, r * sumsOfRow(), sumsApart[r], 0, sumsOfRow());
            } else {
                for (int c = 0; c < columns; c++) {
                    columnsOfEight[c * EIGHT + r] = x[r * columns + c];
                }
            }
        }
        for (int c = 0; forQuantized && !eightColumns && c < columns; c += MatrixProduct.BLOCK_COLUMNS) {
            int k = Math.min(MatrixProduct.BLOCK_COLUMNS, columns - c);
            for (int r = first; r < first + count; r++) {
                System.arraycopy(x, r * columns + c, blocks, c * rows + r * MatrixProduct.BLOCK_COLUMNS, k);
            }
        }
    }

    private void interleave(int first, int count) {
        long at = eightAt(first);
        for (int c = 0; c + LANES <= columns; c += LANES) {
            for (int r = first; r < first + EIGHT; r++) {
                if (r < first + count) {
                    MemorySegment.copy(x, r * columns + c, eights, FLOAT, at, LANES);
                } else {
                    eights.asSlice(at, 4L * LANES).fill((byte) 0);
                }
                at += 4L * LANES;
            }
        }
    }

    private void turn(int first, int height, int count) {
        int at = first / GROUP * GROUP * columns + first % GROUP;
        // 16 columns at a time: the rows' cache lines are read once and the group's written whole
        for (int from = 0; from < columns; from += 16) {
            int to = Math.min(from + 16, columns);
            for (int r = 0; r < height; r++) {
                for (int c = from; c < to; c++) {
                    groups[at + c * GROUP + r] = r < count ? x[(first + r) * columns + c] : 0;
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

    /** {@code [eight, LANES columns, row of eight, column]}. */
    MemorySegment eights() {
        return eights;
    }

    /** The byte where the eight begins that begins with a row. */
    long eightAt(int row) {
        return 4L * row * (columns & -LANES);
    }

    /** {@code [group, column, row of group]}. */
    float[] turned() {
        return groups;
    }

    /** {@code [block of columns, row, BLOCK_COLUMNS]}. */
    float[] blocks() {
        return blocks;
    }

    /** {@code [column, row]}, of eight rows. */
    float[] columnsOfEight() {
        return columnsOfEight;
    }

    /** {@code [row, block, 2]}: the sum of a block's even columns and that of its odd ones. */
    float[] sums() {
        return sums;
    }

    /** One of very few rows. */
    float[] row(int t) {
        return rows == 1 ? x : apart[t];
    }

    /** Its sums. */
    float[] sums(int t) {
        return rows == 1 ? sums : sumsApart[t];
    }

    /** How many sums there are of a row. */
    int sumsOfRow() {
        return 2 * (columns / WeightMatrix.BLOCK);
    }
}
