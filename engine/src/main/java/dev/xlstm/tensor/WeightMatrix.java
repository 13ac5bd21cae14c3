package dev.xlstm.tensor;

import dev.xlstm.safetensors.DType;
import java.lang.foreign.MemorySegment;

/**
 * The matrix of a linear layer, {@code y = W x}, in its stored format: {@code rows} outputs by {@code columns} inputs,
 * row-major. Subclasses hold the bytes of one format and the loops that read them; whoever calls needs to know neither.
 *
 * <p>Every output element is computed by one thread in one fixed order, so results do not depend on how rows are shared.
 */
public abstract sealed class WeightMatrix permits F32Matrix {

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
            default -> throw new IllegalArgumentException("no matrix format for " + dtype);
        };
    }

    public final int rows() {
        return rows;
    }

    public final int columns() {
        return columns;
    }

    /** The format's name: f32, f16, bf16, q8_0, q4_0. */
    public abstract String format();

    /** Bytes read to use every weight once. */
    public abstract long byteSize();

    /** The rows {@code [from, to)} as a matrix of their own, sharing this one's bytes. */
    public abstract WeightMatrix slice(int from, int to);

    /** Writes row {@code row} as float32 to {@code out[offset, offset + columns)}. */
    public abstract void copyRow(int row, float[] out, int offset);
}
