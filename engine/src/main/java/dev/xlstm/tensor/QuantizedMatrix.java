package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Integers of few bits in blocks of 32 along a row, each block with a bfloat16 scale: {@code w = scale * number}. A product
 * rounds its activations to 8 bits per block, see {@link RoundedActivations}, sums the products of each block exactly, and
 * adds {@code sum * (scale of w * scale of x)} block after block with a fused multiply-add. Hence an output has the same bits
 * whatever loop computes it: alone, among few rows of activations or among many, at any vector width.
 *
 * <p>Rows lie interleaved in panels of 32, which makes each lane of a vector a row: nothing is summed across lanes, and one
 * activation meets all rows at hand. A panel is a sequence of blocks, a block a sequence of lines of 64 bytes, the last of
 * which has the scales. A line has 16 bits of each row; rows r and r + 16 are the low and the high half of the little-endian
 * int r, so shifts alone turn their sums and scales into ints and floats. The last panel is padded with rows of zeros.
 *
 * <p>The scale is a bfloat16 as that is the upper half of a float32: one instruction unpacks it, and it is never subnormal.
 * Numbers are rounded to the stored scale, so its few bits cost no accuracy.
 */
abstract sealed class QuantizedMatrix extends WeightMatrix permits Q8_0Matrix, Q4_0Matrix {

    /** Rows of a panel. */
    static final int PANEL = 32;

    /** 16 bits of each row of a panel. */
    static final int LINE = 2 * PANEL;

    /** Rows of activations that one call of {@link #dots2x4} takes. */
    static final int GROUP = 4;

    /** Ints of a line: what the low half says of row i, the high one says of row i + 16. */
    static final int INTS = PANEL / 2;

    /** The bits of a line's int that are a float's upper half. */
    static final int UPPER = 0xffff0000;

    private static final int WARM_UP_BLOCKS = 2;

    /** The scratch array of the scalar loop: a block's numbers, its sums and scales, and outputs of all rows of x. */
    static final int SCRATCH_FLOATS = (BLOCK + 2 + MAX_ROWS) * PANEL;

    protected final MemorySegment data; // [panels, blocks, block bytes], of the stored rows
    private final int first; // the stored row that is row 0
    private final int blocks; // of a row
    private final KernelWarmup oneWarmup;
    private final KernelWarmup groupsWarmup;
    private final KernelWarmup.Loops oneByOne = new OneByOne();
    private final KernelWarmup.Loops groups = new Groups();

    /**
     * @param first row of the stored ones that is row 0 of the matrix
     * @param oneWarmup of the format's {@link #dots4}
     * @param groupsWarmup of its {@link #dots2x4}
     */
    protected QuantizedMatrix(
            MemorySegment data, int first, int rows, int columns, KernelWarmup oneWarmup, KernelWarmup groupsWarmup) {
        super(rows, columns);
        this.data = data;
        this.first = first;
        this.oneWarmup = oneWarmup;
        this.groupsWarmup = groupsWarmup;
        blocks = columns / BLOCK;
    }

    /** Bytes of a block of a panel, scales included: 576 for q4_0, 1088 for q8_0. */
    static int blockBytes(WeightFormat format) {
        return (format == WeightFormat.Q8_0 ? BLOCK / 2 : BLOCK / 4) * LINE + LINE;
    }

    /** Where a row has its 16 bits in a line. */
    static int byteInLine(int row) {
        return 4 * (row % INTS) + 2 * (row / INTS % 2);
    }

    @Override
    public final long byteSize() {
        return (long) rows * blocks * blockBytes(format()) / PANEL;
    }

    @Override
    public final List<MemorySegment> data() {
        long from = panelAt(first / PANEL);
        return List.of(data.asSlice(from, panelAt((first + rows + PANEL - 1) / PANEL) - from));
    }

    @Override
    public final WeightMatrix slice(int from, int to) {
        return of(first + from, to - from);
    }

    /** The same with other rows of the stored ones. */
    protected abstract WeightMatrix of(int firstRow, int count);

    /** The byte at which a panel begins. */
    final long panelAt(int panel) {
        return (long) panel * blocks * blockBytes(format());
    }

    /** The byte at which the block of a stored row begins, 16 bits of that row in each line from there. */
    private long blockAt(int storedRow, int block) {
        return panelAt(storedRow / PANEL) + (long) block * blockBytes(format()) + byteInLine(storedRow);
    }

    @Override
    public final float scale(int row, int block) {
        return scale(blockAt(first + row, block) + blockBytes(format()) - LINE);
    }

    private float scale(long at) {
        return Float.intBitsToFloat(data.get(Simd.SHORT, at) << 16);
    }

    @Override
    public final void unpack(int row, int column, int count, float[] out, int offset) {
        for (int c = column; c < column + count; c++) {
            float scale = scale(row, c / BLOCK);
            out[offset + c - column] = scale * number(blockAt(first + row, c / BLOCK), c % BLOCK);
        }
    }

    /** The number of a column of a row's block, whose first 16 bits are at a byte. */
    protected abstract int number(long at, int column);

    @Override
    public final void multiply(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        if (x.rows() < GROUP) {
            oneWarmup.run(oneByOne, x, y, from, to, columns, scratch);
        } else if (x.hasFewRounded()) {
            multiplyGroups(x, y, from, to, scratch);
        } else {
            multiplyMany(x, y, from, to, scratch);
        }
    }

    /** The product with many rows of activations. */
    protected abstract void multiplyMany(PackedActivations x, float[] y, int from, int to, float[] scratch);

    /** The product by {@link #dots2x4}. */
    protected final void multiplyGroups(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        groupsWarmup.run(groups, x, y, from, to, columns, scratch);
    }

    /** One row of activations, or fewer than a group, one after the other. */
    private final class OneByOne implements KernelWarmup.Loops {

        @Override
        public void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            for (int t = 0; t < x.rows(); t++) {
                fourPanels(x.rounded(), t, blocks, y, from, to, scratch);
            }
        }

        @Override
        public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            if (x.rows() > 1) {
                scalarPanels(x.rounded(), y, from, to, scratch);
                return;
            }
            for (int panel = panelOf(from); panel < panelAfter(to); panel++) {
                scalarDots(x.rounded(), panelAt(panel), scratch);
                store(scratch, 0, panel, y, 0, from, to);
            }
        }

        @Override
        public void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            fourPanels(x.rounded(), 0, Math.min(WARM_UP_BLOCKS, blocks), y, from, Math.min(from + 1, to), scratch);
        }
    }

    /** Rows of activations four at a time; those that are left over, one at a time. */
    private final class Groups implements KernelWarmup.Loops {

        @Override
        public void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int grouped = x.rows() / GROUP * GROUP;
            int end = panelAfter(to);
            for (int t = 0;
                    t < grouped;
                    t += GROUP) { // the outer loop: the panels fit in the L2 cache, many rows of x do not
                for (int panel = panelOf(from); panel < end; panel += 2) {
                    int next = Math.min(panel + 1, end - 1);
                    twoPanels(x.rounded(), t, blocks, y, from, to, panel, next, scratch);
                }
            }
            for (int t = grouped; t < x.rows(); t++) {
                fourPanels(x.rounded(), t, blocks, y, from, to, scratch);
            }
        }

        @Override
        public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            scalarPanels(x.rounded(), y, from, to, scratch);
        }

        @Override
        public void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int few = Math.min(WARM_UP_BLOCKS, blocks);
            int panel = panelOf(from);
            twoPanels(x.rounded(), 0, few, y, from, to, panel, panel, scratch);
            fourPanels(x.rounded(), 0, few, y, from, Math.min(from + 1, to), scratch);
        }
    }

    /** The panel of a row. */
    final int panelOf(int row) {
        return (first + row) / PANEL;
    }

    /** The panel after the one with row {@code to - 1}. */
    final int panelAfter(int to) {
        return (first + to + PANEL - 1) / PANEL;
    }

    /** All panels by row t of x, four at a time and a quarter of all apart: memory is read in four long streams. */
    private void fourPanels(RoundedActivations x, int t, int count, float[] y, int from, int to, float[] scratch) {
        int begin = panelOf(from);
        int last = panelAfter(to) - 1;
        int quarter = (last - begin + 4) / 4;
        for (int p0 = begin; p0 < begin + quarter; p0++) {
            int p1 = Math.min(p0 + quarter, last); // a panel past the last repeats the last
            int p2 = Math.min(p0 + 2 * quarter, last);
            int p3 = Math.min(p0 + 3 * quarter, last);
            dots4(x, t, count, panelAt(p0), panelAt(p1), panelAt(p2), panelAt(p3), scratch);
            store(scratch, 0, p0, y, t, from, to);
            store(scratch, PANEL, p1, y, t, from, to);
            store(scratch, 2 * PANEL, p2, y, t, from, to);
            store(scratch, 3 * PANEL, p3, y, t, from, to);
        }
    }

    private void twoPanels(
            RoundedActivations x, int t, int count, float[] y, int from, int to, int p0, int p1, float[] scratch) {
        dots2x4(x, t, count, panelAt(p0), panelAt(p1), scratch);
        for (int i = 0; i < GROUP; i++) {
            store(scratch, 2 * i * PANEL, p0, y, t + i, from, to);
            store(scratch, (2 * i + 1) * PANEL, p1, y, t + i, from, to);
        }
    }

    /** Copies those outputs of a panel to row t of y that are in [from, to). */
    final void store(float[] out, int at, int panel, float[] y, int t, int from, int to) {
        int row = panel * PANEL - first;
        int skipped = Math.max(from - row, 0);
        int count = Math.min(PANEL, to - row) - skipped;
        System.arraycopy(out, at + skipped, y, t * rows + row + skipped, count);
    }

    /**
     * {@code out[32 i + r] = Σ_c W[r of panel i, c] x[t, c]} over the first blocks of columns, for four panels, told by their
     * first bytes.
     */
    protected abstract void dots4(
            RoundedActivations x, int t, int count, long w0, long w1, long w2, long w3, float[] out);

    /** The same for two panels i and rows t + j of x, j below four: {@code out[64 j + 32 i + r]}. */
    protected abstract void dots2x4(RoundedActivations x, int t, int count, long w0, long w1, float[] out);

    /** The scalar loop of several rows: numbers of a block as floats, whose sums of products are exact, by each row of x. */
    final void scalarPanels(RoundedActivations x, float[] y, int from, int to, float[] scratch) {
        int sums = BLOCK * PANEL;
        int scales = sums + PANEL;
        int outputs = scales + PANEL;
        for (int panel = panelOf(from); panel < panelAfter(to); panel++) {
            Arrays.fill(scratch, outputs, outputs + x.rows() * PANEL, 0f);
            for (int b = 0; b < blocks; b++) {
                scalarNumbers(panelAt(panel) + (long) b * blockBytes(format()), scratch);
                scalarScales(panel, b, scratch, scales);
                for (int t = 0; t < x.rows(); t++) {
                    Arrays.fill(scratch, sums, sums + PANEL, 0f);
                    scalarBlock(scratch, x.numbers(), x.numberAt(t, b * BLOCK), sums);
                    float scale = x.scales()[x.scaleAt(t, b)];
                    int out = outputs + t * PANEL;
                    for (int r = 0; r < PANEL; r++) {
                        scratch[out + r] = Math.fma(scratch[sums + r], scratch[scales + r] * scale, scratch[out + r]);
                    }
                }
            }
            for (int t = 0; t < x.rows(); t++) {
                store(scratch, outputs + t * PANEL, panel, y, t, from, to);
            }
        }
    }

    /** {@code sums[r] += Σ_c numbers[c, r] x[c]}, in a loop that C2 vectorises by itself. */
    private static void scalarBlock(float[] scratch, float[] x, int at, int sums) {
        for (int c = 0; c < BLOCK; c++) {
            float v = x[at + c];
            for (int r = 0; r < PANEL; r++) {
                scratch[sums + r] = Math.fma(scratch[c * PANEL + r], v, scratch[sums + r]);
            }
        }
    }

    /**
     * The scalar loop of one row: {@code out[r] = Σ_c W[r of a panel, c] x[0, c]}.
     *
     * @param panelAt the first byte of the panel
     */
    protected abstract void scalarDots(RoundedActivations x, long panelAt, float[] out);

    /** {@code out[c, r] =} the numbers of the block of a panel at a byte, {@code [BLOCK, PANEL]}. */
    protected abstract void scalarNumbers(long blockAt, float[] out);

    /** {@code out[r] =} the scales of a block. */
    private void scalarScales(int panel, int block, float[] out, int at) {
        long from = panelAt(panel) + (long) (block + 1) * blockBytes(format()) - LINE;
        for (int r = 0; r < PANEL; r++) {
            out[at + r] = scale(from + byteInLine(r));
        }
    }
}
