package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.util.List;

import static dev.xlstm.tensor.Simd.LANES;

/**
 * Numbers of few bits in blocks of 32 along a row, each block with a half-precision scale: {@code w = scale * (number - half)},
 * where half is half the range of the numbers.
 *
 * <p>Rows lie interleaved in panels of 16, so that a lane of a vector is a row: nothing is summed across lanes, a block's
 * scales are one vector, and an activation is loaded once for all rows at hand. A number is a digit of a 32-bit
 * little-endian word; words come column after column, in each the rows of the panel: word j of a panel of h rows is the
 * {@code j / h}-th of row {@code j % h}. Digit 0 starts at bit 15, and the others follow upwards, round the end of the word.
 * Scales likewise: {@code [block, row of the panel]}. The last panel of a matrix has the rows that are left.
 *
 * <p>A digit becomes a float without a conversion: put at the head of the mantissa of 1.0, which is where bit 15 is, a byte
 * is {@code 1 + number / 256}. What is too much is taken off by what the sums of a block start from.
 */
abstract sealed class QuantizedMatrix extends WeightMatrix permits Q8_0Matrix, Q4_0Matrix {

    /** Rows of a panel. */
    static final int PANEL = 16;

    /** The bit at which the digits of a word begin. */
    static final int FIRST_BIT = 15;

    /** 1.0; a digit is or-ed into it. */
    static final int ONE = 0x3f800000;

    /** Of the scales of a block, of all rows of a panel. */
    static final int SCALE_BYTES = 2 * PANEL;

    /** Where a half that was moved up by 13 bits has its own: sign, exponent and mantissa at a float's places. */
    static final int HALF = 0x8fffe000;

    /** What makes of those bits the half's value, if it is finite: the exponents' biases are 112 apart. */
    static final float HALF_UNIT = 0x1p112f;

    /** Blocks of a row in a run to get the loop compiled. */
    private static final int WARM_UP_BLOCKS = 4;

    protected final MemorySegment quants; // of the stored rows
    protected final MemorySegment scales; // halves, of the stored rows
    private final int stored; // rows
    private final int first; // the stored row that is row 0
    private final int digits; // of a word
    private final KernelWarmup oneWarmup;
    private final KernelWarmup fewWarmup;
    private final TiledProduct manyRows = new TiledProduct(this);

    /**
     * @param first row of the {@code stored} ones that is row 0 of the matrix
     * @param digits of a word
     * @param oneWarmup of the format's {@link #dots}
     * @param fewWarmup of its {@link #dots8}
     */
    protected QuantizedMatrix(
            MemorySegment quants,
            MemorySegment scales,
            int stored,
            int first,
            int rows,
            int columns,
            int digits,
            KernelWarmup oneWarmup,
            KernelWarmup fewWarmup) {
        super(rows, columns);
        this.quants = quants;
        this.scales = scales;
        this.stored = stored;
        this.first = first;
        this.digits = digits;
        this.oneWarmup = oneWarmup;
        this.fewWarmup = fewWarmup;
    }

    @Override
    public final long byteSize() {
        return (long) rows * columns / digits * 4 + (long) rows * (columns / BLOCK) * 2;
    }

    @Override
    public final List<MemorySegment> data() {
        return List.of(ofRows(quants), ofRows(scales));
    }

    /** As many bytes as are of these rows, though rows are stored interleaved. */
    private MemorySegment ofRows(MemorySegment all) {
        long bytes = all.byteSize() / stored;
        return all.asSlice(first * bytes, rows * bytes);
    }

    @Override
    public final WeightMatrix slice(int from, int to) {
        return of(stored, first + from, to - from);
    }

    /** The same with other rows. */
    protected abstract WeightMatrix of(int storedRows, int firstRow, int count);

    @Override
    public final float scale(int row, int block) {
        return half(scalesAt(row, block));
    }

    /** The byte of the word with a row's column, in a matrix of so many rows. */
    static long wordAt(int rows, int columns, int digits, int row, int column) {
        int panel = row / PANEL * PANEL;
        int height = Math.min(PANEL, rows - panel);
        return 4 * ((long) panel * (columns / digits) + (long) (column / digits) * height + row % PANEL);
    }

    /** The byte of a block's scale. */
    static long scaleAt(int rows, int columns, int row, int block) {
        int panel = row / PANEL * PANEL;
        int height = Math.min(PANEL, rows - panel);
        return 2 * ((long) panel * (columns / BLOCK) + (long) block * height + row % PANEL);
    }

    @Override
    public final void unpack(int row, int column, int count, float[] out, int offset) {
        unpackRow(row, column, count, out, offset, 1);
    }

    /** Weights of a row, as far apart as asked for. */
    private void unpackRow(int row, int column, int count, float[] out, int offset, int apart) {
        int bits = 32 / digits;
        int mask = (1 << bits) - 1;
        int half = 1 << bits - 1;
        float scale = 0;
        int word = 0;
        for (int c = column; c < column + count; c++) {
            if (c == column || c % BLOCK == 0) {
                scale = scale(row, c / BLOCK);
            }
            if (c == column || c % digits == 0) {
                word = Integer.rotateRight(quants.get(Simd.INT, wordsAt(row, c)), FIRST_BIT + c % digits * bits);
            }
            out[offset + (c - column) * apart] = scale * ((word & mask) - half);
            word >>>= bits;
        }
    }

    /** Whether vector loops can take the rows from this one on: a whole panel. */
    private boolean isPanel(int row, int to) {
        return (first + row) % PANEL == 0 && row + PANEL <= to;
    }

    @Override
    public final void multiply(PackedActivations x, float[] y, int from, int to, float[] scratch) {
        switch (x.quantizedOrder()) {
            case ROWS_APART -> oneWarmup.run(oneByOne, x, y, from, to, columns, scratch);
            case COLUMN_MAJOR_BY_8 -> fewWarmup.run(eight, x, y, from, to, columns, scratch);
            case COLUMN_BLOCKS -> TiledProduct.WARMUP.run(manyRows, x, y, from, to, columns, scratch);
        }
    }

    private final KernelWarmup.Loops oneByOne = new KernelWarmup.Loops() {

        @Override
        public void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int start = firstPanel(from, to);
            int panels = (to - start) / PANEL;
            int end = start + panels * PANEL;
            int quarter =
                    (panels + 3) / 4; // panels are taken four at a time, far apart: memory is read in four streams
            for (int t = 0; t < x.rows(); t++) {
                panels(x, t, y, start, panels, quarter, quarter, columns / BLOCK);
                scalarRows(x, t, y, from, start);
                scalarRows(x, t, y, end, to);
            }
        }

        @Override
        public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            for (int t = 0; t < x.rows(); t++) {
                scalarRows(x, t, y, from, to);
            }
        }

        @Override
        public void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int start = firstPanel(from, to);
            int panels = (to - start) / PANEL;
            if (panels > 0) {
                panels(x, 0, y, start, panels, (panels + 3) / 4, 1, Math.min(WARM_UP_BLOCKS, columns / BLOCK));
            }
        }
    };

    private final KernelWarmup.Loops eight = new KernelWarmup.Loops() {

        @Override
        public void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int start = firstPanel(from, to);
            int end = start + (to - start) / PANEL * PANEL;
            for (int r = start; r < end; r += PANEL) {
                panel(x, y, r, columns / BLOCK, scratch);
            }
            for (int t = 0; t < x.rows(); t++) {
                scalarRows(x, t, y, from, start);
                scalarRows(x, t, y, end, to);
            }
        }

        @Override
        public void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            for (int t = 0; t < x.rows(); t++) {
                scalarRows(x, t, y, from, to);
            }
        }

        @Override
        public void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch) {
            int start = firstPanel(from, to);
            if (start + PANEL <= to) {
                panel(x, y, start, Math.min(WARM_UP_BLOCKS, columns / BLOCK), scratch);
            }
        }
    };

    private int firstPanel(int from, int to) {
        int row = from;
        while (row < to && !isPanel(row, to)) {
            row++;
        }
        return row;
    }

    private void panel(PackedActivations x, float[] y, int row, int blocks, float[] scratch) {
        for (int l = 0; l < PANEL; l += LANES) {
            dots8(
                    quants,
                    scales,
                    blocks,
                    x.columnMajorBy8(),
                    x.sums(),
                    x.sumsOfRow(),
                    wordsAt(row, 0) + 4 * l,
                    scalesAt(row, 0) + 2 * l,
                    scratch,
                    l);
        }
        for (int t = 0; t < x.rows(); t++) {
            System.arraycopy(scratch, t * PANEL, y, t * rows + row, PANEL);
        }
    }

    /** Of row t of x. Four at a time, as each sum waits for itself, but those of one panel. */
    private void scalarRows(PackedActivations x, int t, float[] y, int from, int to) {
        for (int r = from; r < to; ) {
            int panel = (first + r) / PANEL * PANEL;
            int height = Math.min(PANEL, stored - panel);
            int count = Math.min(4, Math.min(panel + height - first, to) - r);
            scalarDots(r, count, height, x.rowMajor(), t * columns, x.sums(), t * x.sumsOfRow(), y, t * rows);
            r += count;
        }
    }

    /** The first {@code count} of each quarter of the panels, so many blocks of columns. */
    private void panels(
            PackedActivations x, int t, float[] y, int start, int panels, int quarter, int count, int blocks) {
        float[] row = x.row(t);
        float[] sums = x.sums(t);
        int yAt = t * rows;
        for (int q = 0; q < count; q++) {
            // some come twice if there are too few
            int r0 = start + q * PANEL;
            int r1 = start + Math.min(q + quarter, panels - 1) * PANEL;
            int r2 = start + Math.min(q + 2 * quarter, panels - 1) * PANEL;
            int r3 = start + Math.min(q + 3 * quarter, panels - 1) * PANEL;
            for (int l = 0; l < PANEL; l += LANES) {
                dots(
                        quants,
                        scales,
                        blocks,
                        row,
                        sums,
                        wordsAt(r0, 0) + 4 * l,
                        wordsAt(r1, 0) + 4 * l,
                        wordsAt(r2, 0) + 4 * l,
                        wordsAt(r3, 0) + 4 * l,
                        scalesAt(r0, 0) + 2 * l,
                        scalesAt(r1, 0) + 2 * l,
                        scalesAt(r2, 0) + 2 * l,
                        scalesAt(r3, 0) + 2 * l,
                        y,
                        yAt + r0 + l,
                        yAt + r1 + l,
                        yAt + r2 + l,
                        yAt + r3 + l);
            }
        }
    }

    private void unpackScales(int row, int block, int count, float[] out, int offset) {
        Simd.halves(scales, scalesAt(row, block), count * PANEL, out, offset);
    }

    /**
     * {@code y[yi + l] = Σ_c W[ri + l, c] x[c]} for {@link Simd#LANES} rows l of each of four panels i. Spelled out, as the compiler
     * stops inlining methods of ours (not the Vector API's) in large ones, and a vector it does not inline is an object.
     *
     * @param sums of x, see {@link PackedActivations#sums}
     * @param w0 the byte at which the words of these rows begin; panels may be the same
     * @param d0 the byte at which their scales begin
     */
    protected abstract void dots(
            MemorySegment w,
            MemorySegment scales,
            int blocks,
            float[] x,
            float[] sums,
            long w0,
            long w1,
            long w2,
            long w3,
            long d0,
            long d1,
            long d2,
            long d3,
            float[] y,
            int y0,
            int y1,
            int y2,
            int y3);

    /**
     * The same for one panel and eight rows j of x, {@code y[y0 + 16 j + l] = Σ_c W[r0 + l, c] x[j, c]}, to the bit.
     *
     * @param x [columns, 8]
     * @param sums of x, those of each row so far apart
     */
    protected abstract void dots8(
            MemorySegment w,
            MemorySegment scales,
            int blocks,
            float[] x,
            float[] sums,
            int sumsApart,
            long w0,
            long d0,
            float[] y,
            int y0);

    /**
     * The same for {@code count} rows of a panel and one of x, to the bit.
     *
     * @param count 1 to 4
     * @param height rows of the panel
     */
    protected abstract void scalarDots(
            int row, int count, int height, float[] x, int xAt, float[] sums, int sumsAt, float[] y, int yAt);

    /** The half at a byte of the scales. */
    protected final float half(long at) {
        return Float.float16ToFloat(scales.get(Simd.SHORT, at));
    }

    /** The byte at which the scales of a panel, told by its first row, begin from a block on. */
    protected final long scalesAt(int row, int block) {
        return scaleAt(stored, columns, first + row, block);
    }

    /** The byte of the word with a row's column; with a panel's first row, where its words from that column on begin. */
    protected final long wordsAt(int row, int column) {
        return wordAt(stored, columns, digits, first + row, column);
    }

    /**
     * Unpacks rows for a matrix product: {@code out[c * apart + r] = W[row + r, column + c]} for r below count and c below k.
     *
     * @param column a multiple of {@link #BLOCK}
     * @param k likewise
     * @param buffer of {@code PANEL * k / BLOCK} floats
     */
    final void unpackColumns(
            int row, int count, int column, int k, float[] out, int offset, int apart, float[] buffer, int bufferAt) {
        for (int r = 0; r < count; ) {
            if (isPanel(row + r, row + count) && KernelWarmup.vectorsAreCompiled()) {
                unpackScales(row + r, column / BLOCK, k / BLOCK, buffer, bufferAt);
                long at = wordsAt(row + r, column);
                for (int l = 0; l < PANEL; l += LANES) {
                    unpackPanel(at + 4 * l, k, buffer, bufferAt + l, out, offset + r + l, apart);
                }
                r += PANEL;
            } else {
                unpackRow(row + r, column, k, out, offset + r, apart);
                r++;
            }
        }
    }

    /** k columns of a vector of rows, whose words begin at a byte and whose scales, 16 a block, are at {@code scaleAt}. */
    protected abstract void unpackPanel(
            long at, int k, float[] scales, int scaleAt, float[] out, int offset, int apart);
}
