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
import java.util.regex.Pattern;

/**
 * Hands out the tensors of a checkpoint as weights, by name, with every shape checked. Missing and unfit tensors are
 * collected and reported together by {@link #report}; until then a getter returns null for them.
 *
 * <p>Names are those of the checkpoint without the wrapper modules that torch.compile and distributed training put into
 * them ({@code _orig_mod.}, {@code module.}).
 */
final class TensorSource {

    private static final int SHOWN_PROBLEMS = 3;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final Pattern WRAPPER_MODULE =
            Pattern.compile("(?<![^.])(?:_orig_mod|module|_fsdp_wrapped_module|_checkpoint_wrapped_module)\\.");

    private final Checkpoint checkpoint;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>(); // by name without wrapper modules
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
        checkpoint.tensors().values().forEach(tensor -> {
            String name = withoutWrappers(tensor.name());
            Tensor other = tensors.put(name, tensor);
            if (other != null) {
                wrong(tensor, "is '" + name + "' without its wrapper modules, as is '" + other.name() + "'; keep one");
            }
        });
    }

    /** A name without wrapper modules. */
    static String withoutWrappers(String name) {
        return WRAPPER_MODULE.matcher(name).replaceAll("");
    }

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    /** The tensors that no weight was made of: names without wrapper modules to the names in the checkpoint. */
    Map<String, String> unused() {
        Map<String, String> unused = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            if (!used.contains(name)) {
                unused.put(name, tensor.name());
            }
        });
        return unused;
    }

    /** The names of the tensors that weights were made of. */
    Set<String> used() {
        return Collections.unmodifiableSet(used);
    }

    /**
     * The one tensor whose name is an ending or ends in a dot and the ending.
     *
     * @param fallback the result if there is none
     * @param endings the first that some tensor has counts
     */
    String endingIn(String fallback, String... endings) {
        for (String ending : endings) {
            List<String> names = tensors.keySet().stream()
                    .filter(name -> name.equals(ending) || name.endsWith("." + ending))
                    .toList();
            if (names.size() > 1 && !names.contains(fallback)) {
                wrong(
                        tensors.get(names.get(1)),
                        "and '" + names.get(0) + "' may both be meant; keep one model in a checkpoint");
            }
            if (!names.isEmpty()) {
                return names.contains(fallback) ? fallback : names.getFirst();
            }
        }
        return fallback;
    }

    /** Whether two tensors have the same bytes. */
    boolean same(String name, String other) {
        Tensor a = tensors.get(name);
        Tensor b = tensors.get(other);
        return a.dtype() == b.dtype() && a.data().mismatch(b.data()) < 0;
    }

    /** Counts a tensor as used although no weight is made of it. */
    void ignore(String name) {
        used.add(name);
    }

    /** The matrices by the names of their tensors in the checkpoint; fused ones whole. */
    Map<String, WeightMatrix> matrices() {
        return Collections.unmodifiableMap(matrices);
    }

    /** The rows {@code [from, to)} of a linear layer, which may be missing, as a layer. */
    static Linear rows(Linear linear, int from, int to) {
        return new Linear(
                linear.matrix() == null ? null : linear.matrix().slice(from, to),
                linear.bias() == null ? null : Arrays.copyOfRange(linear.bias(), from, to));
    }

    /** The stored shape of a tensor; null if it does not exist. */
    long[] shape(String name) {
        return has(name) ? tensors.get(name).shape() : null;
    }

    /** A matrix {@code NAME.weight} and perhaps a {@code NAME.bias}. */
    Linear linear(String name, int rows, int columns, boolean bias) {
        return new Linear(matrix(name + ".weight", rows, columns), bias ? vector(name + ".bias", rows) : null);
    }

    /** The first of two names that exists; the first name if neither does. */
    String firstOf(String name, String alias) {
        return !tensors.containsKey(name) && tensors.containsKey(alias) ? alias : name;
    }

    /** As {@link #firstOf}, for a linear layer. */
    String firstLinearOf(String name, String alias) {
        return firstOf(name + ".weight", alias + ".weight").replaceFirst("\\.weight$", "");
    }

    /**
     * A matrix in its stored format, or in the converter's; null if there is a problem with it.
     *
     * @param shape the last length is the columns, the product of the others the rows
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
            matrices.put(stored.name(), matrix);
        }
        return matrix;
    }

    /**
     * A tensor {@code [count, rows, columns]} as the matrix {@code [count * columns, rows]}: each of the count matrices is
     * transposed. In the stored format, or in the converter's; null if there is a problem with it.
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
            wrong(tensor, "is " + tensor.dtype() + "; convert matrices to F32, F16 or BF16");
            return null;
        }
    }

    private WeightMatrix quantisedMatrix(Tensor quants, int rows, int columns) {
        String name = withoutWrappers(quants.name());
        used.add(name);
        WeightFormat scheme;
        try {
            scheme = Quantization.scheme(checkpoint);
        } catch (ModelException e) {
            wrong.add(e);
            return null;
        }
        if (columns % WeightMatrix.BLOCK != 0) {
            wrong(quants, "is quantised, but its " + columns + " columns are not a multiple of 32");
            return null;
        }
        boolean fits = fits(quants, Quantization.tensor(scheme, quants.name(), rows, columns));
        return fits ? WeightMatrix.quantized(scheme, quants.data(), rows, columns) : null;
    }

    private boolean fits(Tensor tensor, TensorInfo expected) {
        String problem = Quantization.problem(tensor, expected);
        if (problem != null) {
            wrong(tensor, problem);
        }
        return problem == null;
    }

    /** A vector as float32, from any floating-point type; null if there is a problem with it. */
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
                wrong(tensor, "is " + dtype + "; convert vectors to F32, F16 or BF16");
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
                    tensor,
                    "has the shape " + Arrays.toString(tensor.shape()) + ", but the config asks for "
                            + Arrays.toString(shape));
            return null;
        }
        return tensor;
    }

    private void wrong(Tensor tensor, String text) {
        wrong.add(new ModelException(checkpoint.fileOf(tensor.name()), "tensor '" + tensor.name() + "' " + text));
    }

    /** Notes a problem with a tensor that exists. */
    void wrong(String name, String text) {
        wrong(tensors.get(name), text);
    }

    /** @throws ModelException if a tensor is missing or unfit; names the first few */
    void report() throws ModelException {
        if (!missing.isEmpty()) {
            String names = String.join(", ", missing.subList(0, Math.min(SHOWN_PROBLEMS, missing.size())));
            throw new ModelException(
                    checkpoint.directory(),
                    missing.size() + (missing.size() == 1 ? " tensor is missing: " : " tensors are missing: ") + names
                            + (missing.size() > SHOWN_PROBLEMS ? ", ..." : "")
                            + "; config.json belongs to another model, or files are incomplete");
        }
        if (!wrong.isEmpty()) {
            int others = wrong.size() - 1;
            throw others == 0
                    ? wrong.getFirst()
                    : new ModelException(wrong.getFirst().getMessage() + " (and " + others + " more such tensors)");
        }
    }
}
