package dev.xlstm.model;

import dev.xlstm.model.XlstmWeights.Layer;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.WeightMatrix;
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
 * Finds the canonical weights under whatever names and packing a checkpoint has, and checks every shape. All problems
 * are gathered before the first is reported.
 */
final class WeightLoader {

    private static final int SHOWN_PROBLEMS = 3;
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final XlstmConfig config;
    private final Checkpoint checkpoint;
    private final Map<String, Tensor> tensors;
    private final MatrixConverter converter; // null to leave all as stored
    private final Map<String, WeightMatrix> matrices = new LinkedHashMap<>();
    private final Set<String> used = new HashSet<>();
    private final List<String> missing = new ArrayList<>();
    private final List<ModelException> wrong = new ArrayList<>();

    WeightLoader(XlstmConfig config, Checkpoint checkpoint) {
        this(config, checkpoint, null);
    }

    /**
     * @param converter changes the format of the matrices; null to leave them as stored
     */
    WeightLoader(XlstmConfig config, Checkpoint checkpoint, MatrixConverter converter) {
        this.config = config;
        this.checkpoint = checkpoint;
        this.converter = converter;
        this.tensors = checkpoint.tensors();
    }

    /** @throws ModelException if a tensor is missing or has another shape than the config asks for */
    XlstmWeights load() throws ModelException {
        int vocab = config.vocabSize();
        int hidden = config.hiddenSize();
        WeightMatrix embedding = matrix(firstOf("backbone.embeddings.weight", "embedding.weight"), vocab, hidden);
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < config.numLayers(); i++) {
            layers.add(layer("backbone.blocks." + i + "."));
        }
        // A stored head counts only where the two are not tied.
        WeightMatrix head = config.tiedHead() ? embedding : matrix("lm_head.weight", vocab, hidden);
        XlstmWeights weights = new XlstmWeights(config, embedding, List.copyOf(layers), outNorm(), head);
        report();
        return weights;
    }

    /** Names of tensors in the checkpoint that the model has no place for. */
    List<String> unusedTensors() {
        return tensors.keySet().stream().filter(name -> !used.contains(name)).toList();
    }

    /** The matrices by the names of their tensors; fused ones whole. */
    Map<String, WeightMatrix> matrices() {
        return Collections.unmodifiableMap(matrices);
    }

    private Layer layer(String block) {
        int hidden = config.hiddenSize();
        int qk = config.qkSize();
        int v = config.vSize();
        String cell = block + "mlstm_layer.";
        String ffn = block + "ffn.";
        boolean bias = config.useBias();
        // the very first release of the Hugging Face implementation spelt q, k, v out
        List<Linear> qkvo = stack(
                cell + "qkv_opreact",
                bias,
                new Part(firstLinearOf(cell + "q", cell + "query"), qk),
                new Part(firstLinearOf(cell + "k", cell + "key"), qk),
                new Part(firstLinearOf(cell + "v", cell + "value"), v),
                new Part(cell + "ogate_preact", v));
        List<Linear> gates = stack(
                cell + "ifgate_preact",
                true,
                new Part(cell + "igate_preact", config.numHeads()),
                new Part(cell + "fgate_preact", config.numHeads()));
        List<Linear> up = stack(
                ffn + "proj_up_gate_z",
                bias,
                new Part(ffn + "proj_up_gate", config.ffnSize()),
                new Part(ffn + "proj_up", config.ffnSize()));
        return new Layer(
                norm(block + "norm_mlstm", hidden, 0),
                qkvo.get(0),
                qkvo.get(1),
                qkvo.get(2),
                qkvo.get(3),
                gates.get(0),
                gates.get(1),
                norm(cell + "multihead_norm", v, config.numHeads()),
                linear(cell + "out_proj", hidden, v, bias),
                norm(block + "norm_ffn", hidden, 0),
                up.get(0),
                up.get(1),
                linear(ffn + "proj_down", hidden, config.ffnSize(), bias));
    }

    /**
     * Hugging Face's implementation has the final norm whatever {@code add_out_norm} says, NX-AI's obeys. So the flag
     * only tells whether the tensor may be absent: a model made without the norm has no weight for it. Its bias is
     * NX-AI's alone.
     */
    private Norm outNorm() {
        String name = "backbone.out_norm";
        if (!config.outNorm() && !tensors.containsKey(name + ".weight")) {
            return null;
        }
        boolean bias = config.useBias() && tensors.containsKey(name + ".bias");
        return new Norm(
                vector(name + ".weight", config.hiddenSize(), 0),
                bias ? vector(name + ".bias", config.hiddenSize(), 0) : null);
    }

    private Norm norm(String name, int width, int heads) {
        return new Norm(
                vector(name + ".weight", width, heads), config.useBias() ? vector(name + ".bias", width, heads) : null);
    }

    private Linear linear(String name, int rows, int columns, boolean bias) {
        return new Linear(matrix(name + ".weight", rows, columns), bias ? vector(name + ".bias", rows, 0) : null);
    }

    /** A linear layer from the hidden width that may be stored as rows of a fused one. */
    private record Part(String name, int rows) {}

    /** The parts, whether stored one by one or (config's {@code weight_mode} fused) one below the other. */
    private List<Linear> stack(String fusedName, boolean bias, Part... parts) {
        List<Linear> linears = new ArrayList<>();
        if (!tensors.containsKey(fusedName + ".weight")) {
            for (Part part : parts) {
                linears.add(linear(part.name, part.rows, config.hiddenSize(), bias));
            }
            return linears;
        }
        int rows = Arrays.stream(parts).mapToInt(Part::rows).sum();
        Linear fused = linear(fusedName, rows, config.hiddenSize(), bias);
        int from = 0;
        for (Part part : parts) {
            int to = from + part.rows;
            linears.add(new Linear(
                    fused.matrix() == null ? null : fused.matrix().slice(from, to),
                    fused.bias() == null ? null : Arrays.copyOfRange(fused.bias(), from, to)));
            from = to;
        }
        return linears;
    }

    private String firstOf(String name, String alias) {
        return !tensors.containsKey(name) && tensors.containsKey(alias) ? alias : name;
    }

    private String firstLinearOf(String name, String alias) {
        return firstOf(name + ".weight", alias + ".weight").replaceFirst("\\.weight$", "");
    }

    /** {@code [rows, columns]} in its stored format, or as the converter gives it; null if there is a problem with it. */
    private WeightMatrix matrix(String name, int rows, int columns) {
        Tensor stored = tensors.get(name);
        boolean quantised = stored != null && (stored.dtype() == DType.I8 || stored.dtype() == DType.U8);
        WeightMatrix matrix =
                quantised ? quantisedMatrix(stored, rows, columns) : unquantisedMatrix(name, rows, columns);
        if (matrix != null) {
            matrix = converter == null ? matrix : converter.convert(name, matrix);
            matrices.put(name, matrix);
        }
        return matrix;
    }

    private WeightMatrix unquantisedMatrix(String name, int rows, int columns) {
        Tensor tensor = tensor(name, new long[] {rows, columns});
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
        String scheme;
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

    /**
     * {@code [size]}, or {@code [heads, size / heads]} if there are heads, as float32 from any floating-point type; null
     * if there is a problem with it.
     */
    private float[] vector(String name, int size, int heads) {
        long[] shape = {size};
        if (heads > 0 && tensors.containsKey(name) && tensors.get(name).shape().length == 2) {
            shape = new long[] {heads, size / heads};
        }
        Tensor tensor = tensor(name, shape);
        if (tensor == null) {
            return null;
        }
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

    private void wrong(String name, String text) {
        wrong.add(new ModelException(checkpoint.fileOf(name), "tensor '" + name + "' " + text));
    }

    private void report() throws ModelException {
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
