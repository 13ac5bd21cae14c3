package dev.xlstm.model;

import dev.xlstm.safetensors.DType;
import dev.xlstm.tensor.Quantizer;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/** Converts matrices to another format in memory, off heap, on all processors. */
final class MatrixConverter {

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int ALIGNMENT = 64;

    private final WeightFormat format;
    private final Arena arena; // of the results

    MatrixConverter(WeightFormat format, Arena arena) {
        this.format = format;
        this.arena = arena;
    }

    /** The matrix itself if it is of the format already, or stays as precise as it is, see {@link Quantization}. */
    WeightMatrix convert(String name, WeightMatrix source) {
        boolean quantized = format.isQuantized();
        if (source.format() == format || quantized && !Quantization.applies(name, source.columns())) {
            return source;
        }
        return quantized ? quantize(name, source) : cast(source);
    }

    private WeightMatrix quantize(String name, WeightMatrix source) {
        int rows = source.rows();
        int columns = source.columns();
        long quantBytes = Quantizer.quantBytes(format, columns);
        long scaleBytes = Quantizer.scaleBytes(columns);
        MemorySegment quants = arena.allocate(rows * quantBytes, ALIGNMENT);
        MemorySegment scales = arena.allocate(rows * scaleBytes, ALIGNMENT);
        quantize(format, name, source, 0, rows, quants, scales);
        return WeightMatrix.quantized(format, quants, scales, rows, columns);
    }

    /**
     * Quantises the rows [from, to) to the beginning of {@code quants} and {@code scales}. Pieces of a matrix may be written
     * one after the other if each but the last has a multiple of {@link Quantizer#PIECE_ROWS} rows.
     *
     * @throws IllegalArgumentException if a weight is not finite or too large; names the matrix
     */
    static void quantize(
            WeightFormat format,
            String name,
            WeightMatrix source,
            int from,
            int to,
            MemorySegment quants,
            MemorySegment scales) {
        int columns = source.columns();
        IntStream.range(from, to).parallel().forEach(r -> {
            float[] row = new float[columns];
            source.unpack(r, 0, columns, row, 0);
            try {
                Quantizer.quantize(format, row, columns, r - from, to - from, quants, scales);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(
                        "tensor '" + name + "', row " + r + ": " + e.getMessage() + "; it cannot be quantised", e);
            }
        });
    }

    private WeightMatrix cast(WeightMatrix source) {
        int rows = source.rows();
        int columns = source.columns();
        DType dtype = DType.valueOf(format.name());
        MemorySegment target = arena.allocate((long) rows * columns * dtype.byteSize(), ALIGNMENT);
        IntStream.range(0, rows).parallel().forEach(r -> {
            float[] row = new float[columns];
            source.unpack(r, 0, columns, row, 0);
            long at = (long) r * columns;
            for (int c = 0; c < columns; c++) {
                switch (dtype) {
                    case F32 -> target.setAtIndex(FLOAT, at + c, row[c]);
                    case F16 -> target.setAtIndex(SHORT, at + c, Float.floatToFloat16(row[c]));
                    default -> target.setAtIndex(SHORT, at + c, bfloat16(row[c]));
                }
            }
        });
        return WeightMatrix.of(dtype, target, rows, columns);
    }

    /** The upper half of a float32, rounded to nearest, ties to even. */
    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40); // quiet, and still not a number
        }
        return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
    }
}
