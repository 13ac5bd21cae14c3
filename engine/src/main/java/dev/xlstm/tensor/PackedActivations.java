package dev.xlstm.tensor;

/**
 * Rows of activations with columns turned inside out, as products with matrices read them: {@code [group, column, row of
 * group]}, a group being as many rows as two vectors have lanes. Rows past the last are zero. Packed once for all the
 * matrices that read it.
 */
public final class PackedActivations {

    /** Rows of a group. */
    static final int GROUP = 2 * Simd.LANES;

    private final int columns;
    private int rows;
    private float[] data = {};

    public PackedActivations(int columns) {
        this.columns = columns;
    }

    /** Makes room; every group is then to be packed, in any order, by any thread. */
    public void begin(int rows) {
        this.rows = rows;
        if (data.length < groups() * GROUP * columns) {
            data = new float[groups() * GROUP * columns];
        }
    }

    /** Groups of the rows begun. */
    public int groups() {
        return (rows + GROUP - 1) / GROUP;
    }

    /** Packs a group of {@code x [rows, columns]}. */
    public void pack(float[] x, int group) {
        int at = group * GROUP * columns;
        int first = group * GROUP;
        int count = Math.min(GROUP, rows - first);
        // 16 columns at a time: the rows' cache lines are read once and the group's written whole
        for (int from = 0; from < columns; from += 16) {
            int to = Math.min(from + 16, columns);
            for (int r = 0; r < GROUP; r++) {
                for (int c = from; c < to; c++) {
                    data[at + c * GROUP + r] = r < count ? x[(first + r) * columns + c] : 0;
                }
            }
        }
    }

    int rows() {
        return rows;
    }

    float[] data() {
        return data;
    }
}
