package dev.xlstm.safetensors;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A named array in a file: row-major, little-endian, not copied.
 *
 * @param name the name in the header
 * @param dtype the element type
 * @param shape the lengths, outermost first; empty for a scalar
 * @param data exactly {@code product(shape) * dtype.bitSize() / 8} bytes; not aligned
 */
public record Tensor(String name, DType dtype, long[] shape, MemorySegment data) {

    /** The number of elements. */
    public long elementCount() {
        return data.byteSize() * Byte.SIZE / dtype.bitSize();
    }

    @Override
    public String toString() {
        return name + " " + dtype + Arrays.toString(shape);
    }
}
