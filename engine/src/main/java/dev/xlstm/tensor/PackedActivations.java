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

    /** Rows of a column-major group: two vectors. */
    static final int GROUP = 2 * LANES;

    /** Rows that are interleaved. */
    static final int INTERLEAVED_ROWS = 8;

    /** Most rows that are few for plain matrices: with more, tiles of unpacked weights are faster. */
    private static final int FEW_ROWS = GROUP;

    /**
     * Most rows that are few for quantised matrices that have a choice: with more, q8_0 is faster in tiles of floats. The
     * integer kernel takes 7 n + 2 instructions for 64 weights and n rows, the tiles about 5 n + 16.
     */
    private static final int FEW_ROUNDED_ROWS = 8;

    /**
     * Most outputs of a plain matrix that is small, as those of gates are. Without larger ones beside it, it is multiplied like
     * few rows by any number, which costs little and gives each row the bits that it has alone.
     */
    private static final int SMALL = 64;

    private static final int CACHE_LINE = 64; // bytes

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int columns;
    private final List<PlainMatrix> plain = new ArrayList<>();
    private boolean plainIsSmall;
    private RoundedActivations rounded; // null without quantised matrices
    private float[] x; // [rows, columns]
    private int rows;
    private MemorySegment interleaved = MemorySegment.NULL;
    private boolean packsGroups;
    private float[] columnMajorGroups = {};

    public PackedActivations(int columns) {
        this.columns = columns;
    }

    /** Announces a matrix that will be multiplied with these activations. */
    public void addConsumer(WeightMatrix matrix) {
        if (matrix instanceof PlainMatrix one) {
            plain.add(one);
            plainIsSmall = plain.stream().allMatch(each -> each.rows() <= SMALL);
        } else {
            rounded = rounded == null ? new RoundedActivations(columns) : rounded;
            rounded.addConsumer(matrix.format());
        }
    }

    PlainOrder plainOrder() {
        boolean few = rows <= FEW_ROWS || plainIsSmall;
        return rows == 1 ? PlainOrder.ROW_MAJOR : few ? PlainOrder.INTERLEAVED_BY_8 : PlainOrder.COLUMN_MAJOR_GROUPS;
    }

    /** Whether rows are few for quantised matrices. */
    boolean hasFewRounded() {
        return rows <= FEW_ROUNDED_ROWS;
    }

    /**
     * Allocates what {@code x [rows, columns]} needs; every group is then to be packed, in any order, by any thread.
     */
    public void begin(float[] x, int rows) {
        this.x = x;
        this.rows = rows;
        if (rounded != null) {
            rounded.begin(rows);
            if (rows == 1) { // too little work to share
                rounded.pack(x, 0);
            }
        }
        if (rows > 1 && !plain.isEmpty()) {
            beginPlain();
        }
    }

    private void beginPlain() {
        boolean few = plainOrder() == PlainOrder.INTERLEAVED_BY_8;
        if (few && interleaved.byteSize() < interleavedAt(INTERLEAVED_ROWS * groups())) {
            interleaved = Arena.ofAuto().allocate(interleavedAt(INTERLEAVED_ROWS * groups()), CACHE_LINE);
        }
        packsGroups = !few || plain.stream().anyMatch(PlainMatrix::mayUseScalarsForFewRows);
        int count = (rows + GROUP - 1) / GROUP;
        if (packsGroups && columnMajorGroups.length < count * GROUP * columns) {
            columnMajorGroups = new float[count * GROUP * columns];
        }
    }

    /** Rows of a group to pack. */
    private int height() {
        return plainOrder() == PlainOrder.COLUMN_MAJOR_GROUPS ? GROUP : INTERLEAVED_ROWS;
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
        for (int r = first; rounded != null && r < first + count; r++) {
            rounded.pack(x, r);
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

    /** For matrices of quantised formats. */
    RoundedActivations rounded() {
        return rounded;
    }
}
