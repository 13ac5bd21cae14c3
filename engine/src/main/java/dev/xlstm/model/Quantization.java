package dev.xlstm.model;

import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.Quantizer;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which matrices are quantised, and how a checkpoint holds them: numbers and scales together under the matrix's name, U8
 * {@code [rows / 32, columns / 32, bytes of a block of 32 rows]}, as {@link Quantizer} writes them; the scheme and its version
 * in the metadata.
 */
final class Quantization {

    private static final String SCHEME = "xlstm.quantization";
    private static final String VERSION = "xlstm.quantization.version";
    private static final String THIS_VERSION = "3"; // 1 had rows one by one, 2 scales in tensors of their own

    private Quantization() {}

    /**
     * The matrices of an mLSTM's gates are small and decide what is remembered, as are the small blocks its q, k and v may be
     * made of; of the embedding a token reads but one row, so its bytes cost memory, not time; and what an sLSTM's recurrent
     * kernel computes comes back to it at every token, with all errors.
     */
    private static final Pattern PRECISE = Pattern.compile(".*(igate_preact|fgate_preact|mlstm_cell\\.[if]gate|"
            + "[qkv]_proj|embeddings?)\\.weight|.*\\._recurrent_kernel_");

    /** Whether a matrix of this name is worth it. */
    static boolean applies(String name, int columns) {
        return columns % WeightMatrix.BLOCK == 0 && !PRECISE.matcher(name).matches();
    }

    /** Says so in the metadata; always in the same order, so that two runs give the same bytes. */
    static void describe(WeightFormat format, Map<String, String> metadata) {
        metadata.put(SCHEME, format.toString());
        metadata.put(VERSION, THIS_VERSION);
    }

    /** The stored tensor of a matrix. */
    static TensorInfo tensor(WeightFormat format, String name, int rows, int columns) {
        return new TensorInfo(name, DType.U8, Quantizer.shape(format, rows, columns));
    }

    /** Whether a checkpoint says that it is quantised. */
    static boolean isQuantized(Checkpoint checkpoint) {
        return checkpoint.metadata().containsKey(SCHEME);
    }

    /**
     * The scheme of a checkpoint that has integer tensors.
     *
     * @throws ModelException if it is missing or unknown
     */
    static WeightFormat scheme(Checkpoint checkpoint) throws ModelException {
        String scheme = checkpoint.metadata().get(SCHEME);
        String version = checkpoint.metadata().get(VERSION);
        if (scheme == null) {
            throw new ModelException(
                    checkpoint.directory(),
                    "holds integer matrices, but the metadata of its files have no " + SCHEME
                            + "; take the unquantised model and run xlstm quantize");
        }
        WeightFormat format = WeightFormat.quantized().stream()
                .filter(one -> one.toString().equals(scheme))
                .findFirst()
                .orElseThrow(() -> new ModelException(
                        checkpoint.directory(),
                        SCHEME + " in its metadata is '" + shorten(scheme) + "'; known are " + formats()));
        if (!THIS_VERSION.equals(version)) {
            throw new ModelException(
                    checkpoint.directory(),
                    VERSION + " in its metadata is '" + shorten(String.valueOf(version)) + "', not " + THIS_VERSION
                            + "; quantise the original model again with xlstm quantize");
        }
        return format;
    }

    /** The quantised formats, for messages. */
    static String formats() {
        return WeightFormat.quantized().stream().map(WeightFormat::toString).collect(Collectors.joining(" and "));
    }

    private static String shorten(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }

    /** What is wrong with a stored tensor, or null if it is as announced. */
    static String problem(Tensor tensor, TensorInfo expected) {
        return tensor.dtype() == expected.dtype() && Arrays.equals(tensor.shape(), expected.shape())
                ? null
                : "is " + tensor.dtype() + " " + Arrays.toString(tensor.shape())
                        + ", but the config and the quantisation" + " ask for " + expected.dtype() + " "
                        + Arrays.toString(expected.shape());
    }
}
