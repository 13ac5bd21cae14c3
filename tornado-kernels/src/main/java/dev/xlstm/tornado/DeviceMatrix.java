package dev.xlstm.tornado;

import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The rows of one or more linear layers as kernels read them, row-major {@code [rows, columns]}:
 *
 * <table>
 * <caption>formats</caption>
 * <tr><td>F32<td>{@code floats}
 * <tr><td>F16<td>{@code halves}, each row times its scale in {@code floats [rows]}
 * <tr><td>Q8_0<td>signed bytes, 4 in a word, lowest first; each 32 times their scale in {@code halves}
 * <tr><td>Q4_0<td>nibbles less 8, 8 in a word, lowest first; each 32 times their scale in {@code halves}
 * </table>
 *
 * <p>A bf16 matrix becomes F16: kernels can convert halves, but not reinterpret bits. A row's scale is the power of two
 * that moves its largest weight to the top of a half's range. Weights down to 2^-33 of the largest are then exact; the error
 * of smaller ones is below the rounding of a float32 sum of the row.
 */
final class DeviceMatrix {

    static final int F32 = 0;
    static final int F16 = 1;
    static final int Q8_0 = 2;
    static final int Q4_0 = 3;

    final int format;
    final int rows;
    final int columns;
    final FloatArray floats;
    final HalfFloatArray halves;
    final IntArray words;
    final FloatArray bias; // [rows]

    /** Maps each row to a row of a linear layer. */
    private interface Rows {
        Linear linear(int row);

        int index(int row);
    }

    /**
     * The rows of several linear layers with the same input, one layer after another, split into several matrices where the
     * format changes.
     *
     * @param norm of the input, may be null; its bias, if any, is folded into the biases of the rows
     */
    static List<DeviceMatrix> stack(List<Linear> linears, Norm norm) {
        List<DeviceMatrix> matrices = new ArrayList<>();
        int from = 0;
        for (int to = 1; to <= linears.size(); to++) {
            if (to == linears.size() || format(linears.get(to)) != format(linears.get(from))) {
                matrices.add(stackOfOneFormat(linears.subList(from, to), norm));
                from = to;
            }
        }
        return matrices;
    }

    private static DeviceMatrix stackOfOneFormat(List<Linear> linears, Norm norm) {
        int rows = linears.stream().mapToInt(l -> l.matrix().rows()).sum();
        Linear[] owner = new Linear[rows];
        int[] index = new int[rows];
        int row = 0;
        for (Linear linear : linears) {
            for (int r = 0; r < linear.matrix().rows(); r++) {
                owner[row] = linear;
                index[row++] = r;
            }
        }
        return new DeviceMatrix(rows, norm, new Rows() {
            @Override
            public Linear linear(int r) {
                return owner[r];
            }

            @Override
            public int index(int r) {
                return index[r];
            }
        });
    }

    /** Interleaves two layers: row 2r is row r of the first, row 2r + 1 is row r of the second. */
    static DeviceMatrix interleave(Linear even, Linear odd, Norm norm) {
        if (format(even) != format(odd)) {
            throw new IllegalArgumentException("the two matrices of the gated layer differ in format: "
                    + even.matrix().format() + " and " + odd.matrix().format());
        }
        return new DeviceMatrix(2 * even.matrix().rows(), norm, new Rows() {
            @Override
            public Linear linear(int r) {
                return r % 2 == 0 ? even : odd;
            }

            @Override
            public int index(int r) {
                return r / 2;
            }
        });
    }

    private static int format(Linear linear) {
        return switch (linear.matrix().format()) {
            case F32 -> F32;
            case F16, BF16 -> F16;
            case Q8_0 -> Q8_0;
            case Q4_0 -> Q4_0;
        };
    }

    private DeviceMatrix(int rows, Norm norm, Rows source) {
        this.rows = rows;
        columns = source.linear(0).matrix().columns();
        format = format(source.linear(0));
        long count = (long) rows * columns;
        if (count > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException("a matrix of " + rows + " x " + columns
                    + " has more weights than a device array can count (" + Integer.MAX_VALUE + ")");
        }
        boolean blocks = format == Q8_0 || format == Q4_0;
        floats = new FloatArray(format == F32 ? (int) count : format == F16 ? rows : 1);
        halves = new HalfFloatArray(format == F16 ? (int) count : blocks ? (int) (count / WeightMatrix.BLOCK) : 1);
        words = new IntArray(format == Q8_0 ? (int) (count / 4) : format == Q4_0 ? (int) (count / 8) : 1);
        bias = new FloatArray(rows);
        IntStream.range(0, rows).parallel().forEach(r -> pack(r, source.linear(r), source.index(r), norm));
    }

    private void pack(int row, Linear linear, int index, Norm norm) {
        float[] unpacked = new float[columns];
        linear.matrix().unpack(index, 0, columns, unpacked, 0);
        if (format == F32 || format == F16) {
            packFloats(row, unpacked, linear.matrix().format() == WeightFormat.BF16);
        } else {
            packBlocks(row, unpacked, linear.matrix(), index);
        }
        double constant = linear.bias() == null ? 0 : linear.bias()[index];
        if (norm != null && norm.bias() != null) {
            for (int c = 0; c < columns; c++) {
                constant += (double) unpacked[c] * norm.bias()[c];
            }
        }
        bias.set(row, (float) constant);
    }

    private void packFloats(int row, float[] weights, boolean scaled) {
        long at = (long) row * columns;
        if (format == F32) {
            MemorySegment.copy(weights, 0, floats.getSegment(), ValueLayout.JAVA_FLOAT, 4 * at, columns);
            return;
        }
        float scale = scaled ? halfScale(weights) : 1;
        floats.set(row, scale);
        MemorySegment target = halves.getSegment();
        for (int c = 0; c < columns; c++) {
            target.set(ValueLayout.JAVA_SHORT, 2 * (at + c), Float.floatToFloat16(weights[c] / scale));
        }
    }

    /** The power of two by which to divide so that the largest magnitude lies in [2^15, 2^16), a half's top octave. */
    static float halfScale(float[] weights) {
        float max = 0;
        for (float w : weights) {
            max = Math.max(max, Math.abs(w));
        }
        if (max == 0 || !Float.isFinite(max)) {
            return 1;
        }
        return Math.scalb(1f, Math.max(Float.MIN_EXPONENT, Math.getExponent(max) - 15));
    }

    /** A weight is its scale times an integer, so the division recovers the integer exactly. */
    private void packBlocks(int row, float[] weights, WeightMatrix matrix, int index) {
        int blocks = columns / WeightMatrix.BLOCK;
        MemorySegment target = words.getSegment();
        for (int b = 0; b < blocks; b++) {
            HalfFloat half = new HalfFloat(matrix.scale(index, b));
            halves.set(row * blocks + b, half);
            float scale = half.getFloat32();
            int from = b * WeightMatrix.BLOCK;
            long at = (long) row * columns + from;
            if (format == Q8_0) {
                for (int c = 0; c < WeightMatrix.BLOCK; c++) {
                    target.set(ValueLayout.JAVA_BYTE, at + c, (byte) number(weights[from + c], scale));
                }
            } else {
                for (int c = 0; c < WeightMatrix.BLOCK; c += 2) {
                    int low = number(weights[from + c], scale) + 8;
                    int high = number(weights[from + c + 1], scale) + 8;
                    target.set(ValueLayout.JAVA_BYTE, (at + c) / 2, (byte) (low | high << 4));
                }
            }
        }
    }

    private static int number(float weight, float scale) {
        return scale == 0 ? 0 : Math.round(weight / scale);
    }

    /** All arrays, for transfer. */
    List<TornadoNativeArray> arrays() {
        return List.of(floats, halves, words, bias);
    }

    /** Bytes of weights and scales read to use every weight once. */
    long byteSize() {
        return floats.getNumBytesOfSegment() + halves.getNumBytesOfSegment() + words.getNumBytesOfSegment();
    }
}
