package dev.xlstm.model;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The shape of xLSTM-7b in float32. The file is a header and a hole of 27 GB: it takes no room on disk, and could not be
 * opened by anything that reads the weights or puts them on the heap.
 */
class LargeModelTest {

    @TempDir
    Path directory;

    private final StringBuilder header = new StringBuilder("{");
    private long end;

    private void add(String name, long rows, long columns) {
        long begin = end;
        end += 4 * rows * columns;
        header.append(header.length() == 1 ? "" : ",").append('"').append(name);
        header.append("\":{\"dtype\":\"F32\",\"shape\":[").append(rows);
        header.append(columns == 1 ? "" : "," + columns);
        header.append("],\"data_offsets\":[")
                .append(begin)
                .append(',')
                .append(end)
                .append("]}");
    }

    @Test
    void the7bOpensWithoutBeingRead() throws Exception {
        add("backbone.embeddings.weight", 50304, 4096);
        for (int i = 0; i < 32; i++) {
            String block = "backbone.blocks." + i + ".";
            add(block + "norm_mlstm.weight", 4096, 1);
            add(block + "mlstm_layer.q.weight", 2048, 4096);
            add(block + "mlstm_layer.k.weight", 2048, 4096);
            add(block + "mlstm_layer.v.weight", 4096, 4096);
            add(block + "mlstm_layer.ogate_preact.weight", 4096, 4096);
            add(block + "mlstm_layer.igate_preact.weight", 8, 4096);
            add(block + "mlstm_layer.igate_preact.bias", 8, 1);
            add(block + "mlstm_layer.fgate_preact.weight", 8, 4096);
            add(block + "mlstm_layer.fgate_preact.bias", 8, 1);
            add(block + "mlstm_layer.multihead_norm.weight", 4096, 1);
            add(block + "mlstm_layer.out_proj.weight", 4096, 4096);
            add(block + "norm_ffn.weight", 4096, 1);
            add(block + "ffn.proj_up_gate.weight", 10944, 4096);
            add(block + "ffn.proj_up.weight", 10944, 4096);
            add(block + "ffn.proj_down.weight", 4096, 10944);
        }
        add("backbone.out_norm.weight", 4096, 1);
        add("lm_head.weight", 50304, 4096);
        byte[] json = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file =
                new RandomAccessFile(directory.resolve("model.safetensors").toFile(), "rw")) {
            file.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .array());
            file.write(json);
            file.setLength(8 + json.length + end);
        } catch (IOException e) {
            Assumptions.abort("this file system has no sparse files of 27 GB");
        }
        Files.writeString(
                directory.resolve("config.json"),
                "{\"model_type\":\"xlstm\",\"embedding_dim\":4096,\"num_blocks\":32,\"vocab_size\":50304}");
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.weights().parameterCount()).isEqualTo(6_865_424_896L);
            assertThat(model.checkpoint().byteSize()).isEqualTo(4 * 6_865_424_896L);
        }
    }
}
