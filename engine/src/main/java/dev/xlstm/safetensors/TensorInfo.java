package dev.xlstm.safetensors;

import java.util.Arrays;

/**
 * Name, type and shape of a tensor.
 *
 * @param shape the lengths, outermost first; empty for a scalar
 */
public record TensorInfo(String name, DType dtype, long... shape) {

    /**
     * Bytes of the tensor's data.
     *
     * @throws ArithmeticException if the shape does not fit in 60 bits, or the elements do not fill whole bytes
     */
    public long byteSize() {
        long bits = dtype.bitSize();
        for (long length : shape) {
            if (length == 0) {
                return 0; // even if the product of the other lengths overflows
            }
        }
        for (long length : shape) {
            bits = Math.multiplyExact(bits, length);
        }
        if (bits % Byte.SIZE != 0) {
            throw new ArithmeticException(bits + " bits are not whole bytes");
        }
        return bits / Byte.SIZE;
    }

    @Override
    public String toString() {
        return name + " " + dtype + Arrays.toString(shape);
    }
}
