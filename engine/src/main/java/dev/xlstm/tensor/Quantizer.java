package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;

/** Rounds rows of float32 weights to the quantised formats. */
public final class Quantizer {

    /** Rows that lie interleaved. */
    public static final int PIECE_ROWS = QuantizedMatrix.PANEL;

    private Quantizer() {}

    /** Bytes of the quants of a row: {@code columns} for q8_0, half of it for q4_0. */
    public static long quantBytes(WeightFormat format, int columns) {
        return switch (format) {
            case Q8_0 -> columns;
            case Q4_0 -> columns / 2;
            default -> throw new IllegalArgumentException(format + " is not quantised");
        };
    }

    /** Bytes of the scales of a row. */
    public static long scaleBytes(int columns) {
        return columns / WeightMatrix.BLOCK * 2L;
    }

    /**
     * Quantises a row of a matrix.
     *
     * @param format q8_0 or q4_0
     * @param weights {@code [columns]}, a multiple of {@link WeightMatrix#BLOCK}; finite
     * @param row which it is of the {@code rows} that quants and scales hold
     * @param quants {@link #quantBytes} for each row, receives the row's as the format's matrix reads them
     * @param scales {@link #scaleBytes} for each row
     * @throws ArithmeticException if a weight is not finite or a scale too large for a half
     */
    public static void quantize(
            WeightFormat format,
            float[] weights,
            int columns,
            int row,
            int rows,
            MemorySegment quants,
            MemorySegment scales) {
        boolean bytes = format == WeightFormat.Q8_0;
        int digits = bytes ? Q8_0Matrix.DIGITS : Q4_0Matrix.DIGITS;
        for (int block = 0; block < columns / WeightMatrix.BLOCK; block++) {
            int at = block * WeightMatrix.BLOCK;
            float extreme = 0; // the weight of largest magnitude, with its sign
            for (int i = at; i < at + WeightMatrix.BLOCK; i++) {
                if (!Float.isFinite(weights[i])) {
                    throw new ArithmeticException("weight " + i + " of a row is " + weights[i]);
                }
                extreme = Math.abs(weights[i]) > Math.abs(extreme) ? weights[i] : extreme;
            }
            // q4_0 has one more step below zero than above: the extreme takes it
            float exact = bytes ? Math.abs(extreme) / 127 : extreme / -8;
            short stored = Float.floatToFloat16(exact);
            float scale = Float.float16ToFloat(stored);
            if (Float.isInfinite(scale)) {
                throw new ArithmeticException("a block's scale of " + exact + " is too large for half precision");
            }
            scales.set(Simd.SHORT, QuantizedMatrix.scaleAt(rows, columns, row, block), stored);
            for (int i = at; i < at + WeightMatrix.BLOCK; i += digits) {
                int word = 0;
                for (int d = 0; d < digits; d++) {
                    int steps = scale == 0 ? 0 : Math.round(weights[i + d] / scale);
                    int number = bytes ? Math.clamp(steps, -127, 127) + 128 : Math.clamp(steps, -8, 7) + 8;
                    word |= number << 32 / digits * d;
                }
                quants.set(
                        Simd.INT,
                        QuantizedMatrix.wordAt(rows, columns, digits, row, i),
                        Integer.rotateLeft(word, QuantizedMatrix.FIRST_BIT));
            }
        }
    }
}
