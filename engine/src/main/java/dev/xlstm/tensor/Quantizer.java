package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Rounds rows of float32 weights to the quantised formats. */
public final class Quantizer {

    private Quantizer() {}

    /** Bytes of the quants of a row: {@code columns} for q8_0, half of it for q4_0. */
    public static long quantBytes(String format, int columns) {
        return switch (format) {
            case "q8_0" -> columns;
            case "q4_0" -> columns / 2;
            default -> throw new IllegalArgumentException("no quantised format " + format);
        };
    }

    /** Bytes of the scales of a row. */
    public static long scaleBytes(int columns) {
        return columns / WeightMatrix.BLOCK * 2L;
    }

    /**
     * Quantises one row.
     *
     * @param format q8_0 or q4_0
     * @param row {@code [columns]}, a multiple of {@link WeightMatrix#BLOCK}; finite
     * @param quants receives {@link #quantBytes} bytes, laid out as the format's matrix reads them
     * @param scales receives {@link #scaleBytes} bytes
     * @throws ArithmeticException if a weight is not finite or a scale too large for a half
     */
    public static void quantize(String format, float[] row, int columns, MemorySegment quants, MemorySegment scales) {
        for (int block = 0; block < columns / WeightMatrix.BLOCK; block++) {
            int at = block * WeightMatrix.BLOCK;
            float extreme = 0; // the weight of largest magnitude, with its sign
            for (int i = at; i < at + WeightMatrix.BLOCK; i++) {
                if (!Float.isFinite(row[i])) {
                    throw new ArithmeticException("weight " + i + " of a row is " + row[i]);
                }
                extreme = Math.abs(row[i]) > Math.abs(extreme) ? row[i] : extreme;
            }
            // q4_0 has one more step below zero than above: the extreme takes it
            float exact = "q8_0".equals(format) ? Math.abs(extreme) / 127 : extreme / -8;
            short stored = Float.floatToFloat16(exact);
            float scale = Float.float16ToFloat(stored);
            if (Float.isInfinite(scale)) {
                throw new ArithmeticException("a block's scale of " + exact + " is too large for half precision");
            }
            scales.set(Simd.SHORT, 2L * block, stored);
            for (int i = at; i < at + WeightMatrix.BLOCK; i++) {
                int steps = scale == 0 ? 0 : Math.round(row[i] / scale);
                if ("q8_0".equals(format)) {
                    quants.set(ValueLayout.JAVA_BYTE, i, (byte) Math.clamp(steps, -127, 127));
                } else {
                    Q4_0Matrix.setNibble(quants, columns, i, Math.clamp(steps, -8, 7) + 8);
                }
            }
        }
    }
}
