package dev.xlstm.bench;

import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.BlockWeights;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmConfig.NormKind;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.model.XlstmWeights.Linear;
import dev.xlstm.model.XlstmWeights.Norm;
import dev.xlstm.safetensors.DType;
import dev.xlstm.tensor.Activation;
import dev.xlstm.tensor.Quantizer;
import dev.xlstm.tensor.Simd;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

/** Weights of a given shape and format made in memory: as fast or slow as a real model's, and as large. */
public final class RandomWeights {

    /**
     * Shapes with a name: that of the published 7B, smaller ones of its kind, and stacks of mLSTM and sLSTM blocks, seven to
     * one as in the paper or one to one.
     */
    public static XlstmConfig shape(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "7b" -> large(4096, 32, 8, 10944, 50304);
            case "1b" -> large(2048, 24, 4, 5504, 50304);
            case "400m" -> large(1024, 24, 4, 2752, 50304);
            case "demo" -> large(256, 4, 4, 512, 2048);
            case "400m-7:1" -> stack(1024, 48, 8, 50304);
            case "400m-1:1" -> stack(1024, 48, 2, 50304);
            default ->
                throw new IllegalArgumentException(
                        "no shape " + name + "; there are 7b, 1b, 400m, demo, 400m-7:1 and 400m-1:1");
        };
    }

    private static XlstmConfig large(int hidden, int layers, int heads, int ffn, int vocab) {
        BlockConfig block = new BlockConfig.Large(heads, hidden / 2, hidden, ffn, 15, 1e-6f, false);
        return new XlstmConfig(
                hidden, vocab, Collections.nCopies(layers, block), NormKind.RMS, 1e-6f, true, false, 30, 64);
    }

    /** The last block of every {@code period} is an sLSTM; widths are the defaults of the format. */
    private static XlstmConfig stack(int hidden, int layers, int period, int vocab) {
        BlockConfig mlstm = new BlockConfig.Mlstm(4, 2 * hidden, 4, 4, false);
        int ffn = (int) Math.ceil(1.3 * hidden / 64) * 64;
        BlockConfig slstm =
                new BlockConfig.Slstm(4, hidden, 4, true, new BlockConfig.FeedForward(ffn, Activation.GELU, false));
        List<BlockConfig> blocks = new ArrayList<>();
        for (int b = 0; b < layers; b++) {
            blocks.add(b % period == period - 1 ? slstm : mlstm);
        }
        return new XlstmConfig(hidden, vocab, blocks, NormKind.LAYER, 1e-5f, true, false, 0, 64);
    }

    private static final int POOL = 1 << 18; // random weights, repeated: their values do not matter

    private final Arena arena;
    private final WeightFormat format;
    private final MemorySegment pool;

    private RandomWeights(Arena arena, WeightFormat format) {
        this.arena = arena;
        this.format = format;
        Random random = new Random(1);
        float[] weights = new float[POOL];
        for (int i = 0; i < POOL; i++) {
            weights[i] = (float) (0.02 * random.nextGaussian());
        }
        pool = format.isQuantized() ? quantized(weights) : stored(weights);
    }

    /** A panel of quantised rows; any number of its blocks are those of some matrix. */
    private MemorySegment quantized(float[] weights) {
        int rows = Quantizer.PANEL_ROWS;
        int columns = POOL / rows;
        MemorySegment target = arena.allocate(Quantizer.byteSize(format, rows, columns), 64);
        for (int r = 0; r < rows; r++) {
            float[] row = Arrays.copyOfRange(weights, r * columns, (r + 1) * columns);
            Quantizer.quantize(format, row, columns, r, target);
        }
        return target;
    }

    private MemorySegment stored(float[] weights) {
        MemorySegment target = arena.allocate((long) POOL * weightBytes(), 64);
        for (int i = 0; i < POOL; i++) {
            switch (format) {
                case F32 -> target.set(JAVA_FLOAT_UNALIGNED, 4L * i, weights[i]);
                case F16 -> target.set(JAVA_SHORT_UNALIGNED, 2L * i, Float.floatToFloat16(weights[i]));
                default -> target.set(JAVA_SHORT_UNALIGNED, 2L * i, Simd.bfloat16(weights[i]));
            }
        }
        return target;
    }

    private int weightBytes() {
        return format == WeightFormat.F32 ? 4 : 2;
    }

    /** A single matrix; format and arena as for {@link #create}. */
    public static WeightMatrix matrix(int rows, int columns, WeightFormat format, Arena arena) {
        return new RandomWeights(arena, format).matrix(rows, columns);
    }

    /**
     * All weights of a shape.
     *
     * @param format of the matrices; norms, biases and gates are as in a checkpoint
     * @param arena holds the weights
     */
    public static XlstmWeights create(XlstmConfig config, WeightFormat format, Arena arena) {
        RandomWeights random = new RandomWeights(arena, format);
        RandomWeights gates = format.isQuantized() ? new RandomWeights(arena, WeightFormat.BF16) : random;
        int hidden = config.hiddenSize();
        List<BlockWeights> blocks = new ArrayList<>();
        for (BlockConfig shape : config.blocks()) {
            if (shape instanceof BlockConfig.Large large) {
                blocks.add(random.large(large, hidden, gates));
            } else if (shape instanceof BlockConfig.Mlstm mlstm) {
                blocks.add(random.mlstm(mlstm, hidden, gates));
            } else {
                blocks.add(random.slstm((BlockConfig.Slstm) shape, gates));
            }
        }
        WeightMatrix embedding = gates.matrix(config.vocabSize(), hidden);
        return new XlstmWeights(
                config, embedding, blocks, ones(hidden), new Linear(random.matrix(config.vocabSize(), hidden), null));
    }

    private BlockWeights large(BlockConfig.Large shape, int hidden, RandomWeights gates) {
        int qk = shape.qkSize();
        int v = shape.vSize();
        return new BlockWeights.Large(
                ones(hidden),
                linear(qk, hidden),
                linear(qk, hidden),
                linear(v, hidden),
                linear(v, hidden),
                gates.gate(shape.numHeads(), hidden, -10),
                gates.gate(shape.numHeads(), hidden, 4),
                ones(v),
                linear(hidden, v),
                feedForward(shape.ffnSize(), hidden));
    }

    private BlockWeights mlstm(BlockConfig.Mlstm shape, int hidden, RandomWeights gates) {
        int inner = shape.innerSize();
        int block = shape.qkvBlockSize();
        return new BlockWeights.Mlstm(
                ones(hidden),
                linear(inner, hidden),
                linear(inner, hidden),
                conv(shape.convKernel(), inner),
                gates.linear(inner, block),
                gates.linear(inner, block),
                gates.linear(inner, block),
                gates.gate(shape.numHeads(), 3 * inner, -10),
                gates.gate(shape.numHeads(), 3 * inner, 4),
                ones(inner),
                filled(inner, 1),
                linear(hidden, inner));
    }

    private BlockWeights slstm(BlockConfig.Slstm shape, RandomWeights gates) {
        int size = shape.size();
        int head = shape.headSize();
        return new BlockWeights.Slstm(
                ones(size),
                conv(shape.convKernel(), size),
                linear(size, head),
                linear(size, head),
                linear(size, head),
                linear(size, head),
                new Linear(gates.matrix(4 * size, head), filled(4 * size, 0)),
                ones(size),
                feedForward(shape.feedForward().size(), size));
    }

    private BlockWeights.FeedForward feedForward(int width, int hidden) {
        return new BlockWeights.FeedForward(
                ones(hidden), linear(width, hidden), linear(width, hidden), linear(hidden, width));
    }

    private static BlockWeights.Conv conv(int kernel, int features) {
        return new BlockWeights.Conv(filled(kernel * features, 0.25f), filled(features, 0));
    }

    private Linear gate(int heads, int width, float bias) {
        return new Linear(matrix(heads, width), filled(heads, bias));
    }

    private Linear linear(int rows, int columns) {
        return new Linear(matrix(rows, columns), null);
    }

    private WeightMatrix matrix(int rows, int columns) {
        if (format.isQuantized()) {
            return WeightMatrix.quantized(format, repeat(Quantizer.byteSize(format, rows, columns)), rows, columns);
        }
        MemorySegment data = repeat((long) rows * columns * weightBytes());
        return WeightMatrix.of(DType.valueOf(format.name()), data, rows, columns);
    }

    private MemorySegment repeat(long byteSize) {
        MemorySegment target = arena.allocate(byteSize, 64);
        for (long at = 0; at < byteSize; at += pool.byteSize()) {
            MemorySegment.copy(pool, 0, target, at, Math.min(pool.byteSize(), byteSize - at));
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
