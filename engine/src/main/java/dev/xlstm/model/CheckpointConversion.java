package dev.xlstm.model;

import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.Quantizer;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A checkpoint in another format: which tensors its file will hold, and the bytes of each, made a few rows at a time from
 * bytes that come in order.
 */
final class CheckpointConversion {

    private static final int PIECE_BYTES = 4 << 20; // of float32, converted at once

    /** The next bytes of a tensor. */
    interface Source {

        /** @return valid until the next call */
        MemorySegment next(long bytes) throws IOException, InterruptedException;
    }

    /** Takes the converted bytes of a tensor, in order. */
    interface Sink {
        void write(MemorySegment piece) throws IOException;
    }

    private final WeightFormat format;
    private final Set<String> converted = new HashSet<>(); // names of tensors
    private final Map<String, String> names = new HashMap<>(); // in the new file, by those in the old one
    private final List<TensorInfo> layout = new ArrayList<>();
    private final Map<String, String> metadata;

    /** @param source its weights need to be there by their headers only */
    CheckpointConversion(ModelDirectory source, WeightFormat format) throws IOException {
        this.format = format;
        metadata = new LinkedHashMap<>(source.checkpoint().metadata());
        if (format.isQuantized()) {
            Quantization.describe(format, metadata);
        }
        for (Tensor tensor : source.checkpoint().tensors().values()) {
            boolean matrix = source.matrices().containsKey(tensor.name());
            String name = source.canonicalName(tensor.name());
            names.put(tensor.name(), name);
            if (matrix && isConverted(tensor)) {
                converted.add(tensor.name());
                layout.add(converted(name, tensor));
            } else {
                layout.add(new TensorInfo(name, tensor.dtype(), tensor.shape()));
            }
        }
    }

    private boolean isConverted(Tensor tensor) {
        return format.isQuantized()
                ? Quantization.applies(tensor.name(), columns(tensor))
                : !tensor.dtype().name().equals(format.name());
    }

    private TensorInfo converted(String name, Tensor tensor) {
        return format.isQuantized()
                ? Quantization.tensor(format, name, rows(tensor), columns(tensor))
                : new TensorInfo(name, DType.valueOf(format.name()), tensor.shape());
    }

    private static int columns(Tensor tensor) {
        return (int) tensor.shape()[tensor.shape().length - 1];
    }

    private static int rows(Tensor tensor) {
        return Math.toIntExact(tensor.elementCount() / columns(tensor));
    }

    /** The name of a tensor in the new file. */
    String name(Tensor tensor) {
        return names.get(tensor.name());
    }

    /** Tensors of the new file, in the order of the old one's. */
    List<TensorInfo> layout() {
        return layout;
    }

    /** Of the new file. */
    Map<String, String> metadata() {
        return metadata;
    }

    /**
     * Converts one tensor.
     *
     * @throws IllegalArgumentException if a weight is not finite and cannot be quantised
     */
    void convert(Tensor tensor, Source source, Sink sink) throws IOException, InterruptedException {
        if (converted.contains(tensor.name())) {
            convertRows(tensor, source, sink);
            return;
        }
        long size = tensor.data().byteSize();
        for (long at = 0; at < size; at += PIECE_BYTES) {
            sink.write(source.next(Math.min(PIECE_BYTES, size - at)));
        }
    }

    private void convertRows(Tensor tensor, Source source, Sink sink) throws IOException, InterruptedException {
        int rows = rows(tensor);
        int columns = columns(tensor);
        int step = Math.max(1, PIECE_BYTES / (4 * columns) / Quantizer.PANEL_ROWS) * Quantizer.PANEL_ROWS;
        long rowBytes = (long) columns * tensor.dtype().byteSize();
        try (Arena arena = Arena.ofShared()) { // shared, as rows are converted in parallel
            MemorySegment piece = arena.allocate(byteSize(step, columns), 8);
            for (int from = 0; from < rows; from += step) {
                int count = Math.min(step, rows - from);
                WeightMatrix matrix = WeightMatrix.of(tensor.dtype(), source.next(count * rowBytes), count, columns);
                MemorySegment target =
                        piece.asSlice(0, byteSize(count, columns)).fill((byte) 0);
                if (format.isQuantized()) {
                    MatrixConverter.quantize(format, tensor.name(), matrix, 0, count, target);
                } else {
                    MatrixConverter.cast(format, tensor.name(), matrix, target);
                }
                sink.write(target);
            }
        }
    }

    private long byteSize(int rows, int columns) {
        return format.isQuantized()
                ? Quantizer.byteSize(format, rows, columns)
                : (long) rows * columns * DType.valueOf(format.name()).byteSize();
    }
}
