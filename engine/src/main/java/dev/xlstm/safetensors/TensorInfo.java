package dev.xlstm.safetensors;

import java.util.Arrays;

/**
 * What a header says of a tensor, without its place.
 *
 * @param shape the lengths, outermost first; empty for a scalar
 */
public record TensorInfo(String name, DType dtype, long... shape) {

    /**
     * Bytes of the tensor's data.
     *
     * @throws ArithmeticException if the shape does not fit in 63 bits
     */
    public long byteSize() {
        long size = dtype.byteSize();
        for (long length : shape) {
            if (length == 0) {
                return 0; // whatever the other lengths would overflow to
            }
        }
        for (long length : shape) {
            size = Math.multiplyExact(size, length);
        }
        return size;
    }

    @Override
    public String toString() {
        return name + " " + dtype + Arrays.toString(shape);
    }
}
