package dev.xlstm.bench;

import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.model.XlstmWeights.Layer;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.safetensors.DType;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

/** Weights of a given shape and format made in memory: as fast or slow as a real model's, and as large. */
public final class RandomWeights {

    /** Shapes with a name: that of the published 7B, one of 1.1 billion parameters, and the demo model's. */
    public static XlstmConfig shape(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "7b" -> config(4096, 32, 8, 10944, 50304);
            case "1b" -> config(2048, 24, 4, 5504, 50304);
            case "demo" -> config(256, 4, 4, 512, 2048);
            default -> throw new IllegalArgumentException("no shape " + name + "; there are 7b, 1b and demo");
        };
    }

    private static XlstmConfig config(int hidden, int layers, int heads, int ffn, int vocab) {
        return new XlstmConfig(
                hidden, layers, heads, hidden / 2, hidden, ffn, vocab, 15, 30, 1e-6f, 1e-6f, 64, false, false, true);
    }

    private static final int POOL = 1 << 20; // random bytes, repeated: what numbers they are does not matter

    private final Arena arena;
    private final String format;
    private final MemorySegment bytes;
    private final MemorySegment weights; // in the unquantised format
    private final MemorySegment scales;

    private RandomWeights(Arena arena, String format) {
        this.arena = arena;
        this.format = format;
        Random random = new Random(1);
        byte[] noise = new byte[POOL];
        random.nextBytes(noise);
        bytes = MemorySegment.ofArray(noise);
        weights = arena.allocate(POOL, 64);
        scales = arena.allocate(POOL, 64);
        for (int i = 0; i < POOL / 4; i++) {
            float w = (float) (0.02 * random.nextGaussian());
            switch (format) {
                case "f32" -> weights.set(JAVA_FLOAT_UNALIGNED, 4L * i, w);
                case "f16" -> setPair(weights, i, Float.floatToFloat16(w));
                default -> setPair(weights, i, (short) (Float.floatToIntBits(w) >>> 16));
            }
            setPair(scales, i, Float.floatToFloat16("q4_0".equals(format) ? 0.004f : 0.0002f));
        }
    }

    private static void setPair(MemorySegment target, int pair, short value) {
        target.set(JAVA_SHORT_UNALIGNED, 4L * pair, value);
        target.set(JAVA_SHORT_UNALIGNED, 4L * pair + 2, value);
    }

    /**
     * All weights of a shape.
     *
     * @param format of the matrices: f32, f16, bf16, q8_0 or q4_0; norms, biases and gates are as in a checkpoint
     * @param arena holds the weights
     */
    public static XlstmWeights create(XlstmConfig config, String format, Arena arena) {
        RandomWeights random = new RandomWeights(arena, format);
        RandomWeights gates = format.startsWith("q") ? new RandomWeights(arena, "bf16") : random;
        int hidden = config.hiddenSize();
        List<Layer> layers = new ArrayList<>();
        for (int l = 0; l < config.numLayers(); l++) {
            layers.add(new Layer(
                    ones(hidden),
                    random.linear(config.qkSize(), hidden),
                    random.linear(config.qkSize(), hidden),
                    random.linear(config.vSize(), hidden),
                    random.linear(config.vSize(), hidden),
                    new Linear(gates.matrix(config.numHeads(), hidden), filled(config.numHeads(), -10)),
                    new Linear(gates.matrix(config.numHeads(), hidden), filled(config.numHeads(), 4)),
                    ones(config.vSize()),
                    random.linear(hidden, config.vSize()),
                    ones(hidden),
                    random.linear(config.ffnSize(), hidden),
                    random.linear(config.ffnSize(), hidden),
                    random.linear(hidden, config.ffnSize())));
        }
        WeightMatrix embedding = gates.matrix(config.vocabSize(), hidden);
        return new XlstmWeights(config, embedding, layers, ones(hidden), random.matrix(config.vocabSize(), hidden));
    }

    private Linear linear(int rows, int columns) {
        return new Linear(matrix(rows, columns), null);
    }

    private WeightMatrix matrix(int rows, int columns) {
        long count = (long) rows * columns;
        return switch (format) {
            case "f32" -> WeightMatrix.of(DType.F32, repeat(weights, 4 * count), rows, columns);
            case "f16" -> WeightMatrix.of(DType.F16, repeat(weights, 2 * count), rows, columns);
            case "bf16" -> WeightMatrix.of(DType.BF16, repeat(weights, 2 * count), rows, columns);
            case "q8_0" ->
                WeightMatrix.quantized(format, repeat(bytes, count), repeat(scales, count / 16), rows, columns);
            case "q4_0" ->
                WeightMatrix.quantized(format, repeat(bytes, count / 2), repeat(scales, count / 16), rows, columns);
            default ->
                throw new IllegalArgumentException("no format " + format + "; there are f32, f16, bf16, q8_0 and q4_0");
        };
    }

    private MemorySegment repeat(MemorySegment pool, long byteSize) {
        MemorySegment target = arena.allocate(byteSize, 64);
        for (long at = 0; at < byteSize; at += POOL) {
            long length = Math.min(POOL, byteSize - at);
            MemorySegment.copy(pool, 0, target, at, length);
        }
        return target;
    }

    private static Norm ones(int width) {
        return new Norm(filled(width, 1), null);
    }

    private static float[] filled(int length, float value) {
        float[] array = new float[length];
        Arrays.fill(array, value);
        return array;
    }
}
