package dev.xlstm.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

import static dev.xlstm.tensor.Simd.LANES;

/**
 * Rows of activations in the orders in which products with matrices read them, packed once for all the matrices that do.
 * The number of rows decides the order, here and nowhere else. Rows past the last are zero where they share a vector with
 * others.
 */
public final class PackedActivations {

    /** The order for matrices that store each weight by itself. */
    enum PlainOrder {

        /** One row: {@link #rowMajor}. */
        ROW_MAJOR,

        /** Few rows: {@link #interleavedBy8}, and {@link #columnMajorGroups} while scalar loops may run. */
        INTERLEAVED_BY_8,

        /** Many rows: {@link #columnMajorGroups}. */
        COLUMN_MAJOR_GROUPS
    }

    /** The order for matrices of quantised formats. */
    enum QuantizedOrder {

        /** Up to 4 rows, multiplied one after the other: {@link #row}. */
        ROWS_APART,

        /** Up to 8 rows: {@link #columnMajorBy8}. */
        COLUMN_MAJOR_BY_8,

        /** Many rows: {@link #columnBlocks}. */
        COLUMN_BLOCKS
    }

    /** Rows of a column-major group: two vectors. */
    static final int GROUP = 2 * LANES;

    /** Rows that are interleaved. */
    static final int INTERLEAVED_ROWS = 8;

    /** Most rows that are few for plain matrices: with more, tiles of unpacked weights are faster. */
    private static final int FEW_ROWS = GROUP;

    private static final int ROWS_APART = 4;

    private static final int CACHE_LINE = 64; // bytes

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int columns;
    private final List<PlainMatrix> plain = new ArrayList<>();
    private boolean forQuantized;
    private float[] x; // [rows, columns]
    private int rows;
    private MemorySegment interleaved = MemorySegment.NULL;
    private boolean packsGroups;
    private float[] columnMajorGroups = {};
    private float[] columnBlocks = {};
    private float[] columnMajorBy8 = {};
    private float[] sums = {};
    private float[][] rowsApart;
    private float[][] sumsApart;

    public PackedActivations(int columns) {
        this.columns = columns;
    }

    /** Announces a matrix that will be multiplied with these activations. */
    public void addConsumer(WeightMatrix matrix) {
        forQuantized |= matrix instanceof QuantizedMatrix;
        if (matrix instanceof PlainMatrix one) {
            plain.add(one);
        }
    }

    PlainOrder plainOrder() {
        return rows == 1
                ? PlainOrder.ROW_MAJOR
                : rows <= FEW_ROWS ? PlainOrder.INTERLEAVED_BY_8 : PlainOrder.COLUMN_MAJOR_GROUPS;
    }

    QuantizedOrder quantizedOrder() {
        return rows <= ROWS_APART
                ? QuantizedOrder.ROWS_APART
                : rows <= INTERLEAVED_ROWS ? QuantizedOrder.COLUMN_MAJOR_BY_8 : QuantizedOrder.COLUMN_BLOCKS;
    }

    /**
     * Allocates what {@code x [rows, columns]} needs; every group is then to be packed, in any order, by any thread.
     */
    public void begin(float[] x, int rows) {
        this.x = x;
        this.rows = rows;
        if (forQuantized && sums.length == 0) {
            sums = new float[INTERLEAVED_ROWS * sumsOfRow()];
        }
        if (rows == 1) {
            sumBlocks(0);
            return;
        }
        if (!plain.isEmpty()) {
            beginPlain();
        }
        if (forQuantized) {
            beginQuantized();
        }
    }

    private void beginPlain() {
        boolean few = plainOrder() == PlainOrder.INTERLEAVED_BY_8;
        if (few && interleaved.byteSize() < interleavedAt(INTERLEAVED_ROWS * groups())) {
            interleaved = Arena.ofAuto().allocate(interleavedAt(INTERLEAVED_ROWS * groups()), CACHE_LINE);
        }
        packsGroups = !few || plain.stream().anyMatch(PlainMatrix::mayUseScalarsForFewRows);
        int count = few ? 1 : groups();
        if (packsGroups && columnMajorGroups.length < count * GROUP * columns) {
            columnMajorGroups = new float[count * GROUP * columns];
        }
    }

    private void beginQuantized() {
        if (quantizedOrder() == QuantizedOrder.COLUMN_BLOCKS) {
            int count = (columns + TiledProduct.TILE_COLUMNS - 1) / TiledProduct.TILE_COLUMNS;
            if (columnBlocks.length < count * rows * TiledProduct.TILE_COLUMNS) {
                columnBlocks = new float[count * rows * TiledProduct.TILE_COLUMNS];
            }
        } else if (columnMajorBy8.length == 0) {
            columnMajorBy8 = new float[INTERLEAVED_ROWS * columns];
            rowsApart = new float[ROWS_APART][columns];
            sumsApart = new float[ROWS_APART][sumsOfRow()];
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

    /** Rows of a group to pack. */
    private int height() {
        return rows <= FEW_ROWS ? INTERLEAVED_ROWS : GROUP;
    }

    /** Groups of rows to pack; a single row needs no packing. */
    public int groups() {
        return rows == 1 ? 0 : (rows + height() - 1) / height();
    }

    public void pack(int group) {
        int first = group * height();
        int count = Math.min(height(), rows - first);
        if (!plain.isEmpty()) {
            if (plainOrder() == PlainOrder.INTERLEAVED_BY_8) {
                interleave(first, count);
            }
            if (packsGroups) {
                transpose(first, height(), count);
            }
        }
        if (forQuantized) {
            packQuantized(first, count);
        }
    }

    private void packQuantized(int first, int count) {
        for (int r = first; r < first + count; r++) {
            switch (quantizedOrder()) {
                case ROWS_APART -> {
                    sumBlocks(r);
                    System.arraycopy(x, r * columns, rowsApart[r], 0, columns);
                    System.arraycopy(sums, r * sumsOfRow(), sumsApart[r], 0, sumsOfRow());
                }
                case COLUMN_MAJOR_BY_8 -> {
                    sumBlocks(r);
                    for (int c = 0; c < columns; c++) {
                        columnMajorBy8[c * INTERLEAVED_ROWS + r] = x[r * columns + c];
                    }
                }
                case COLUMN_BLOCKS -> {
                    for (int c = 0; c < columns; c += TiledProduct.TILE_COLUMNS) {
                        int k = Math.min(TiledProduct.TILE_COLUMNS, columns - c);
                        int at = c * rows + r * TiledProduct.TILE_COLUMNS;
                        System.arraycopy(x, r * columns + c, columnBlocks, at, k);
                    }
                }
            }
        }
    }

    private void interleave(int first, int count) {
        long at = interleavedAt(first);
        for (int c = 0; c + LANES <= columns; c += LANES) {
            for (int r = first; r < first + INTERLEAVED_ROWS; r++) {
                if (r < first + count) {
                    MemorySegment.copy(x, r * columns + c, interleaved, FLOAT, at, LANES);
                } else {
                    interleaved.asSlice(at, 4L * LANES).fill((byte) 0);
                }
                at += 4L * LANES;
            }
        }
    }

    private void transpose(int first, int height, int count) {
        int at = first / GROUP * GROUP * columns + first % GROUP;
        // 16 columns at a time: each cache line of the rows is read once, and that of the group written whole
        for (int from = 0; from < columns; from += 16) {
            int to = Math.min(from + 16, columns);
            for (int r = 0; r < height; r++) {
                for (int c = from; c < to; c++) {
                    columnMajorGroups[at + c * GROUP + r] = r < count ? x[(first + r) * columns + c] : 0;
                }
            }
        }
    }

    int rows() {
        return rows;
    }

    /** {@code [rows, columns]}, as passed to {@link #begin}. */
    float[] rowMajor() {
        return x;
    }

    /**
     * {@code [group of 8 rows, LANES columns, row of the group, column]} of the columns that fill vectors, aligned so that no
     * vector straddles two cache lines.
     */
    MemorySegment interleavedBy8() {
        return interleaved;
    }

    /** The byte at which the group of 8 rows begins that begins with a row. */
    long interleavedAt(int row) {
        return 4L * row * (columns & -LANES);
    }

    /** {@code [group, column, row of the group]}. */
    float[] columnMajorGroups() {
        return columnMajorGroups;
    }

    /** {@code [TILE_COLUMNS columns, row, column of these]}. */
    float[] columnBlocks() {
        return columnBlocks;
    }

    /** {@code [column, row]}, of 8 rows. */
    float[] columnMajorBy8() {
        return columnMajorBy8;
    }

    /** {@code [row, block, 2]}: the sum of a block's even columns and that of its odd ones. */
    float[] sums() {
        return sums;
    }

    /** One of up to 4 rows. */
    float[] row(int t) {
        return rows == 1 ? x : rowsApart[t];
    }

    /** The sums of one of up to 4 rows. */
    float[] sums(int t) {
        return rows == 1 ? sums : sumsApart[t];
    }

    /** Sums of a row. */
    int sumsOfRow() {
        return 2 * (columns / WeightMatrix.BLOCK);
    }
}
