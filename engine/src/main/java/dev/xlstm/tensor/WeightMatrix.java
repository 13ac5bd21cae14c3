package dev.xlstm.tensor;

import dev.xlstm.safetensors.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The matrix of a linear layer, {@code y = W x}, in its stored format: {@code rows} outputs by {@code columns} inputs,
 * row-major. A subclass holds the bytes of one format and the loops that read them.
 *
 * <p>Every output element is computed by one thread in one fixed order, so results do not depend on how threads share the rows.
 */
public abstract sealed class WeightMatrix permits PlainMatrix, QuantizedMatrix {

    /** Weights that share a scale in the quantised formats, along a row. */
    public static final int BLOCK = 32;

    /** Length of the scratch array that each thread passes to {@link #multiply}. */
    public static final int SCRATCH_FLOATS =
            Math.max(TiledProduct.SCRATCH_FLOATS, Math.max(ExactTiles.SCRATCH_FLOATS, QuantizedMatrix.SCRATCH_FLOATS));

    /** Most rows of activations that {@link #multiply} takes. */
    public static final int MAX_ROWS = 256;

    protected final int rows;
    protected final int columns;

    protected WeightMatrix(int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
    }

    /**
     * Wraps the bytes of an unquantised matrix without copying them.
     *
     * @throws IllegalArgumentException if the type has no matrix format
     */
    public static WeightMatrix of(DType dtype, MemorySegment data, int rows, int columns) {
        return switch (dtype) {
            case F32 -> new F32Matrix(data, rows, columns);
            case F16 -> new F16Matrix(data, rows, columns);
            case BF16 -> new BF16Matrix(data, rows, columns);
            default -> throw new IllegalArgumentException("no matrix format for " + dtype);
        };
    }

    /**
     * Wraps the bytes of a quantised matrix without copying them.
     *
     * @param data as {@link Quantizer} writes it
     * @throws IllegalArgumentException if the format is not quantised or the columns are no multiple of {@link #BLOCK}
     */
    public static WeightMatrix quantized(WeightFormat format, MemorySegment data, int rows, int columns) {
        if (columns % BLOCK != 0) {
            throw new IllegalArgumentException(columns + " columns are no multiple of " + BLOCK);
        }
        return switch (format) {
            case Q8_0 -> new Q8_0Matrix(data, rows, columns);
            case Q4_0 -> new Q4_0Matrix(data, rows, columns);
            default -> throw new IllegalArgumentException(format + " is not quantised");
        };
    }

    public final int rows() {
        return rows;
    }

    public final int columns() {
        return columns;
    }

    public abstract WeightFormat format();

    /** The factor by which a quantised format multiplies the integers of a block; 1 for other formats. */
    public float scale(int row, int block) {
        return 1;
    }

    /** Bytes read to use every weight once. */
    public abstract long byteSize();

    /** The memory that {@link #byteSize} counts. */
    public abstract List<MemorySegment> data();

    /** The rows {@code [from, to)} as a matrix of their own, sharing this one's bytes. */
    public abstract WeightMatrix slice(int from, int to);

    /** Writes the weights {@code [column, column + count)} of a row as float32 to {@code out[offset, offset + count)}. */
    public abstract void unpack(int row, int column, int count, float[] out, int offset);

    /**
     * {@code y[t, r] = Σ_c W[r, c] x[t, c]} for all rows t of x and r in [from, to), reading each weight once.
     *
     * @param x [n, columns], packed; n is at most {@link #MAX_ROWS}
     * @param y [n, rows]
     * @param scratch of {@link #SCRATCH_FLOATS}, one a thread
     */
    public abstract void multiply(PackedActivations x, float[] y, int from, int to, float[] scratch);
}
