package dev.xlstm.model;

import dev.xlstm.safetensors.DType;
import dev.xlstm.tensor.Quantizer;
import dev.xlstm.tensor.Simd;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntConsumer;
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
        return quantized ? quantize(name, source) : cast(name, source);
    }

    private WeightMatrix quantize(String name, WeightMatrix source) {
        int rows = source.rows();
        int columns = source.columns();
        MemorySegment data = arena.allocate(Quantizer.byteSize(format, rows, columns), ALIGNMENT);
        quantize(format, name, source, 0, rows, data);
        return WeightMatrix.quantized(format, data, rows, columns);
    }

    /**
     * Quantises the rows [from, to) to {@code target}, which holds zeros. Pieces of a matrix may be written one after the other
     * if each but the last has a multiple of {@link Quantizer#PANEL_ROWS} rows.
     *
     * @throws IllegalArgumentException if a weight is not finite or too large; names the matrix
     */
    static void quantize(
            WeightFormat format, String name, WeightMatrix source, int from, int to, MemorySegment target) {
        int columns = source.columns();
        forEachRow(from, to, r -> {
            float[] row = new float[columns];
            source.unpack(r, 0, columns, row, 0);
            try {
                Quantizer.quantize(format, row, columns, r - from, target);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(
                        "tensor '" + name + "', row " + r + ": " + e.getMessage() + "; it cannot be quantised", e);
            }
        });
    }

    private WeightMatrix cast(String name, WeightMatrix source) {
        DType dtype = DType.valueOf(format.name());
        long bytes = (long) source.rows() * source.columns() * dtype.byteSize();
        MemorySegment target = arena.allocate(bytes, ALIGNMENT);
        cast(format, name, source, target);
        return WeightMatrix.of(dtype, target, source.rows(), source.columns());
    }

    /**
     * Writes all rows as f32, f16 or bf16 to the beginning of {@code target}.
     *
     * @throws IllegalArgumentException if a weight is beyond float16; names the matrix
     */
    static void cast(WeightFormat format, String name, WeightMatrix source, MemorySegment target) {
        int columns = source.columns();
        forEachRow(0, source.rows(), r -> {
            float[] row = new float[columns];
            source.unpack(r, 0, columns, row, 0);
            long at = (long) r * columns;
            for (int c = 0; c < columns; c++) {
                switch (format) {
                    case F32 -> target.setAtIndex(FLOAT, at + c, row[c]);
                    case F16 -> target.setAtIndex(SHORT, at + c, float16(name, r, row[c]));
                    default -> target.setAtIndex(SHORT, at + c, Simd.bfloat16(row[c]));
                }
            }
        });
    }

    private static short float16(String name, int row, float value) {
        short half = Float.floatToFloat16(value);
        if (Float.isFinite(value) && Float.isInfinite(Float.float16ToFloat(half))) {
            throw new IllegalArgumentException("tensor '" + name + "', row " + row + ": the weight " + value
                    + " is beyond f16; convert to bf16 or f32");
        }
        return half;
    }

    /**
     * Runs a task for each row on all processors. The pool of a parallel stream throws a copy of a worker's exception, whose
     * message begins with the name of its class; here the exception of the first failing row is thrown as it is.
     */
    private static void forEachRow(int from, int to, IntConsumer task) {
        SortedMap<Integer, RuntimeException> failures = new ConcurrentSkipListMap<>();
        IntStream.range(from, to).parallel().forEach(r -> {
            try {
                task.accept(r);
            } catch (RuntimeException e) {
                failures.put(r, e);
            }
        });
        if (!failures.isEmpty()) {
            throw failures.get(failures.firstKey());
        }
    }
}
