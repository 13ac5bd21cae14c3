package dev.xlstm.model;

import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of a checkpoint as weights are made of them: looked for by name, every shape checked. What is missing or
 * wrong is noted, and told with the rest by {@link #report}; until then its place holds null.
 */
final class TensorSource {

    private static final int SHOWN_PROBLEMS = 3;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Checkpoint checkpoint;
    private final Map<String, Tensor> tensors;
    private final MatrixConverter converter; // null to leave all as stored
    private final Map<String, WeightMatrix> matrices = new LinkedHashMap<>();
    private final Set<String> used = new HashSet<>();
    private final List<String> missing = new ArrayList<>();
    private final List<ModelException> wrong = new ArrayList<>();

    /**
     * @param converter changes the format of the matrices; null to leave them as stored
     */
    TensorSource(Checkpoint checkpoint, MatrixConverter converter) {
        this.checkpoint = checkpoint;
        this.converter = converter;
        this.tensors = checkpoint.tensors();
    }

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    /** Names of tensors in the checkpoint that nobody has asked for. */
    List<String> unused() {
        return tensors.keySet().stream().filter(name -> !used.contains(name)).toList();
    }

    /** The matrices by the names of their tensors; fused ones whole. */
    Map<String, WeightMatrix> matrices() {
        return Collections.unmodifiableMap(matrices);
    }

    /** The rows {@code [from, to)} of a linear layer, which may be missing, as one of its own. */
    static Linear rows(Linear linear, int from, int to) {
        return new Linear(
                linear.matrix() == null ? null : linear.matrix().slice(from, to),
                linear.bias() == null ? null : Arrays.copyOfRange(linear.bias(), from, to));
    }

    /** The shape of a tensor as stored; null if there is none of the name. */
    long[] shape(String name) {
        return has(name) ? tensors.get(name).shape() : null;
    }

    /** A matrix {@code NAME.weight} and perhaps a {@code NAME.bias}. */
    Linear linear(String name, int rows, int columns, boolean bias) {
        return new Linear(matrix(name + ".weight", rows, columns), bias ? vector(name + ".bias", rows) : null);
    }

    /** The first of two names that is there; the first if neither is. */
    String firstOf(String name, String alias) {
        return !tensors.containsKey(name) && tensors.containsKey(alias) ? alias : name;
    }

    /** As {@link #firstOf}, for a linear layer. */
    String firstLinearOf(String name, String alias) {
        return firstOf(name + ".weight", alias + ".weight").replaceFirst("\\.weight$", "");
    }

    /**
     * In its stored format, or as the converter gives it; null if there is a problem with it.
     *
     * @param shape all but the last are taken together as rows
     */
    WeightMatrix matrix(String name, long... shape) {
        int columns = (int) shape[shape.length - 1];
        int rows = (int) (Arrays.stream(shape).reduce(1, Math::multiplyExact) / columns);
        Tensor stored = tensors.get(name);
        boolean quantised = stored != null && (stored.dtype() == DType.I8 || stored.dtype() == DType.U8);
        WeightMatrix matrix =
                quantised ? quantisedMatrix(stored, rows, columns) : unquantisedMatrix(name, rows, columns, shape);
        if (matrix != null) {
            matrix = converter == null ? matrix : converter.convert(name, matrix);
            matrices.put(name, matrix);
        }
        return matrix;
    }

    /**
     * A tensor {@code [count, rows, columns]} as the matrix {@code [count * columns, rows]}, each of the count transposed, in
     * the stored type, or as the converter gives it; null if there is a problem with it.
     */
    WeightMatrix transposed(String name, int count, int rows, int columns) {
        WeightMatrix stored = unquantisedMatrix(name, count * rows, columns, new long[] {count, rows, columns});
        if (stored == null) {
            return null;
        }
        MemorySegment copy = Arena.ofAuto().allocate(4L * count * rows * columns, 64);
        float[] row = new float[columns];
        for (int r = 0; r < count * rows; r++) {
            stored.unpack(r, 0, columns, row, 0);
            for (int c = 0; c < columns; c++) {
                long at = ((long) (r / rows) * columns + c) * rows + r % rows;
                copy.setAtIndex(FLOAT, at, row[c]);
            }
        }
        WeightMatrix transposed = WeightMatrix.of(DType.F32, copy, count * columns, rows);
        MatrixConverter back = new MatrixConverter(stored.format(), Arena.ofAuto());
        return (converter == null ? back : converter).convert(name, transposed);
    }

    private WeightMatrix unquantisedMatrix(String name, int rows, int columns, long[] shape) {
        Tensor tensor = tensor(name, shape);
        if (tensor == null) {
            return null;
        }
        try {
            return WeightMatrix.of(tensor.dtype(), tensor.data(), rows, columns);
        } catch (IllegalArgumentException e) {
            wrong(name, "is " + tensor.dtype() + "; convert matrices to F32, F16 or BF16");
            return null;
        }
    }

    private WeightMatrix quantisedMatrix(Tensor quants, int rows, int columns) {
        used.add(quants.name());
        WeightFormat scheme;
        try {
            scheme = Quantization.scheme(checkpoint);
        } catch (ModelException e) {
            wrong.add(e);
            return null;
        }
        if (columns % WeightMatrix.BLOCK != 0) {
            wrong(quants.name(), "is quantised, though its " + columns + " columns make no whole blocks of 32");
            return null;
        }
        Tensor scales =
                tensors.get(Quantization.scales(quants.name(), rows, columns).name());
        if (scales == null) {
            missing.add(Quantization.scales(quants.name(), rows, columns).name());
            return null;
        }
        used.add(scales.name());
        boolean fits = fits(quants, Quantization.quants(scheme, quants.name(), rows, columns));
        fits &= fits(scales, Quantization.scales(quants.name(), rows, columns));
        return fits ? WeightMatrix.quantized(scheme, quants.data(), scales.data(), rows, columns) : null;
    }

    private boolean fits(Tensor tensor, TensorInfo expected) {
        String problem = Quantization.problem(tensor, expected);
        if (problem != null) {
            wrong(tensor.name(), problem);
        }
        return problem == null;
    }

    /** As float32 from any floating-point type; null if there is a problem with it. */
    float[] vector(String name, long... shape) {
        Tensor tensor = tensor(name, shape);
        if (tensor == null) {
            return null;
        }
        int size = Math.toIntExact(tensor.elementCount());
        float[] values = new float[size];
        MemorySegment data = tensor.data();
        DType dtype = tensor.dtype();
        for (int i = 0; i < size; i++) {
            if (dtype == DType.F32) {
                values[i] = data.getAtIndex(FLOAT, i);
            } else if (dtype == DType.BF16) {
                values[i] = Float.intBitsToFloat(data.getAtIndex(SHORT, i) << 16);
            } else if (dtype == DType.F16) {
                values[i] = Float.float16ToFloat(data.getAtIndex(SHORT, i));
            } else if (dtype == DType.F64) {
                values[i] = (float) data.getAtIndex(DOUBLE, i);
            } else {
                wrong(name, "is " + dtype + ", not a floating-point type");
                return null;
            }
        }
        return values;
    }

    private Tensor tensor(String name, long[] shape) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            missing.add(name);
            return null;
        }
        used.add(name);
        if (!Arrays.equals(tensor.shape(), shape)) {
            wrong(
                    name,
                    "has the shape " + Arrays.toString(tensor.shape()) + ", but the config asks for "
                            + Arrays.toString(shape));
            return null;
        }
        return tensor;
    }

    void wrong(String name, String text) {
        wrong.add(new ModelException(checkpoint.fileOf(name), "tensor '" + name + "' " + text));
    }

    /** @throws ModelException if a tensor is missing or has another shape than was asked for */
    void report() throws ModelException {
        if (!missing.isEmpty()) {
            String names = String.join(", ", missing.subList(0, Math.min(SHOWN_PROBLEMS, missing.size())));
            throw new ModelException(
                    checkpoint.directory(),
                    missing.size() + (missing.size() == 1 ? " tensor is missing: " : " tensors are missing: ") + names
                            + (missing.size() > SHOWN_PROBLEMS ? ", ..." : "")
                            + "; either config.json is of another model or files are incomplete");
        }
        if (!wrong.isEmpty()) {
            int others = wrong.size() - 1;
            throw others == 0
                    ? wrong.getFirst()
                    : new ModelException(wrong.getFirst().getMessage() + " (and " + others + " more such tensors)");
        }
    }
}
