package dev.xlstm.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** Each limit, at it and one past it. */
class SafetensorsLimitsTest {

    @TempDir
    Path directory;

    /** What is wrong with a file; empty if nothing is. */
    private String problem(byte[] bytes) throws IOException {
        try {
            SafetensorsFile.open(Files.write(directory.resolve("x.safetensors"), bytes))
                    .close();
            return "";
        } catch (SafetensorsException e) {
            return e.getMessage();
        }
    }

    private String problem(String header) throws IOException {
        return problem(SafetensorsFileTest.file(header, 0));
    }

    private static String empty(String name, String shape, String more) {
        return "\"" + name + "\":{\"dtype\":\"U8\",\"shape\":[" + shape + "],\"data_offsets\":[0,0]" + more + "}";
    }

    @Test
    void bytesOfTheHeader() throws IOException {
        ByteBuffer length = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(problem(length.putLong(0, SafetensorsLimits.JSON_BYTES).array()))
                .contains("truncated")
                .doesNotContain("limit");
        assertThat(problem(length.putLong(0, SafetensorsLimits.JSON_BYTES + 1).array()))
                .contains("limit " + SafetensorsLimits.JSON_BYTES);
    }

    @Test
    void tensors() throws IOException {
        StringJoiner header = new StringJoiner(",", "{", "}");
        for (int i = 0; i < SafetensorsLimits.TENSORS; i++) {
            header.add(empty("t" + i, "0", ""));
        }
        assertThat(problem(header.toString())).isEmpty();
        assertThat(problem(header.add(empty("more", "0", "")).toString()))
                .contains("more than " + SafetensorsLimits.TENSORS + " tensors");
    }

    @Test
    void dimensionsAndNames() throws IOException {
        String ones = "0" + ",1".repeat(SafetensorsLimits.DIMENSIONS - 1);
        assertThat(problem("{" + empty("a", ones, "") + "}")).isEmpty();
        assertThat(problem("{" + empty("a", ones + ",1", "") + "}"))
                .contains("more than " + SafetensorsLimits.DIMENSIONS);
        String name = "n".repeat(SafetensorsLimits.NAME_LENGTH);
        assertThat(problem("{" + empty(name, "0", "") + "}")).isEmpty();
        assertThat(problem("{" + empty(name + "n", "0", "") + "}")).contains("not valid JSON");
    }

    @Test
    void metadata() throws IOException {
        String half = "v".repeat(SafetensorsLimits.METADATA_LENGTH / 2 - 1);
        String all = "{\"__metadata__\":{\"a\":\"" + half + "\",\"b\":\"" + half + "\"}}";
        assertThat(problem(all)).isEmpty();
        assertThat(problem(all.replace("\"b\"", "\"bb\"")))
                .contains("longer than " + SafetensorsLimits.METADATA_LENGTH + " characters");
    }

    @Test
    void nestingAndNumbersOfFieldsThatArePassedOver() throws IOException {
        int arrays = SafetensorsLimits.NESTING - 2; // in the tensor, in the header
        String nested = "[".repeat(arrays) + "]".repeat(arrays);
        assertThat(problem("{" + empty("a", "0", ",\"x\":" + nested) + "}")).isEmpty();
        assertThat(problem("{" + empty("a", "0", ",\"x\":[" + nested + "]") + "}"))
                .contains("not valid JSON");
        String digits = "1".repeat(SafetensorsLimits.NUMBER_LENGTH);
        assertThat(problem("{" + empty("a", digits, "") + "}")).doesNotContain("exceeds");
        assertThat(problem("{" + empty("a", digits + "1", "") + "}")).isNotEmpty();
    }

    @Test
    void shards() throws IOException {
        assertThat(indexed(SafetensorsLimits.SHARDS)).contains(SafetensorsLimits.SHARDS + " shards are missing");
        assertThat(indexed(SafetensorsLimits.SHARDS + 1)).contains("more than " + SafetensorsLimits.SHARDS + " shards");
    }

    private String indexed(int shards) throws IOException {
        StringJoiner index = new StringJoiner(",", "{\"weight_map\":{", "}}");
        for (int i = 0; i < shards; i++) {
            index.add("\"t" + i + "\":\"s" + i + "\"");
        }
        Files.writeString(directory.resolve("model.safetensors.index.json"), index.toString());
        try {
            Checkpoint.open(directory).close();
            return "";
        } catch (SafetensorsException e) {
            return e.getMessage();
        }
    }
}
