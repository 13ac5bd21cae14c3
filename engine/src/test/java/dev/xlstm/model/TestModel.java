package dev.xlstm.model;

import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.SafetensorsWriter;
import dev.xlstm.safetensors.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * A model small enough to take apart: H 8, L 2, NH 2, QK 4, VD 8, U 24, V 10, stored one tensor a matrix in float32.
 * Tests change the config and the tensors, then write both.
 */
final class TestModel {

    static final int H = 8;
    static final int QK = 4;
    static final int VD = 8;
    static final int NH = 2;
    static final int U = 24;
    static final int V = 10;

    /** A tensor to be stored; the values are exact in every floating-point type. */
    record Stored(DType dtype, float[] values, long... shape) {

        Stored as(DType other) {
            return new Stored(other, values, shape);
        }

        Stored shaped(long... other) {
            return new Stored(dtype, values, other);
        }

        private byte[] bytes() {
            ByteBuffer out =
                    ByteBuffer.allocate(values.length * dtype.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
            for (float value : values) {
                switch (dtype) {
                    case F64 -> out.putDouble(value);
                    case F32 -> out.putFloat(value);
                    case F16 -> out.putShort(Float.floatToFloat16(value));
                    case BF16 -> out.putShort((short) (Float.floatToRawIntBits(value) >> 16));
                    case I32 -> out.putInt((int) value);
                    default -> throw new IllegalArgumentException("not needed so far: " + dtype);
                }
            }
            return out.array();
        }
    }

    final Map<String, Object> config = new LinkedHashMap<>();
    final Map<String, Stored> tensors = new LinkedHashMap<>();

    TestModel() {
        config.put("model_type", "xlstm");
        config.put("hidden_size", H);
        config.put("num_hidden_layers", 2);
        config.put("num_heads", NH);
        config.put("vocab_size", V);
        config.put("ffn_round_up_to_multiple_of", 8);
        add("backbone.embeddings.weight", V, H);
        for (int layer = 0; layer < 2; layer++) {
            String block = "backbone.blocks." + layer + ".";
            add(block + "norm_mlstm.weight", H);
            add(block + "mlstm_layer.q.weight", QK, H);
            add(block + "mlstm_layer.k.weight", QK, H);
            add(block + "mlstm_layer.v.weight", VD, H);
            add(block + "mlstm_layer.ogate_preact.weight", VD, H);
            add(block + "mlstm_layer.igate_preact.weight", NH, H);
            add(block + "mlstm_layer.igate_preact.bias", NH);
            add(block + "mlstm_layer.fgate_preact.weight", NH, H);
            add(block + "mlstm_layer.fgate_preact.bias", NH);
            add(block + "mlstm_layer.multihead_norm.weight", VD);
            add(block + "mlstm_layer.out_proj.weight", H, VD);
            add(block + "norm_ffn.weight", H);
            add(block + "ffn.proj_up_gate.weight", U, H);
            add(block + "ffn.proj_up.weight", U, H);
            add(block + "ffn.proj_down.weight", H, U);
        }
        add("backbone.out_norm.weight", H);
        add("lm_head.weight", V, H);
    }

    /** Adds a tensor whose values tell it from all others: eighths, counted on from tensor to tensor. */
    void add(String name, long... shape) {
        int size = 1;
        for (long length : shape) {
            size *= (int) length;
        }
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = ((tensors.size() * 31 + i) % 251 - 125) / 8f; // 8 bits: exact in bf16
        }
        tensors.put(name, new Stored(DType.F32, values, shape));
    }

    void rename(String name, String other) {
        tensors.put(other, tensors.remove(name));
    }

    /** Replaces tensors by one that holds the rows of all, in their order. */
    void fuse(String fused, String... parts) {
        int size = 0;
        long rows = 0;
        for (String part : parts) {
            size += tensors.get(part).values.length;
            rows += tensors.get(part).shape[0];
        }
        ByteBuffer all = ByteBuffer.allocate(4 * size);
        boolean matrix = tensors.get(parts[0]).shape.length == 2;
        for (String part : parts) {
            all.asFloatBuffer().put(tensors.get(part).values);
            all.position(all.position() + 4 * tensors.remove(part).values.length);
        }
        float[] values = new float[size];
        all.flip().asFloatBuffer().get(values);
        tensors.put(fused, new Stored(DType.F32, values, matrix ? new long[] {rows, H} : new long[] {rows}));
    }

    /** Writes config.json and model.safetensors. */
    Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.write(directory.resolve("config.json"), new JsonMapper().writeValueAsBytes(config));
        List<TensorInfo> infos = tensors.entrySet().stream()
                .map(e -> new TensorInfo(e.getKey(), e.getValue().dtype, e.getValue().shape))
                .toList();
        Path file = directory.resolve("model.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), infos)) {
            for (Map.Entry<String, Stored> entry : tensors.entrySet()) {
                writer.write(
                        entry.getKey(), MemorySegment.ofArray(entry.getValue().bytes()));
            }
            writer.commit();
        }
        return directory;
    }
}
