package dev.xlstm.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class CheckpointTest {

    @TempDir
    Path temporary;

    private Path directory;

    @BeforeEach
    void makeDirectory() throws IOException {
        directory = Files.createDirectories(temporary.resolve("a").resolve("model"));
    }

    /** A file of one-byte tensors. */
    private static void write(Path path, Map<String, Integer> tensors) throws IOException {
        List<TensorInfo> infos = tensors.keySet().stream()
                .map(name -> new TensorInfo(name, DType.U8, 1))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, Map.of("format", "pt"), infos)) {
            for (Map.Entry<String, Integer> tensor : tensors.entrySet()) {
                byte[] value = {tensor.getValue().byteValue()};
                writer.write(tensor.getKey(), MemorySegment.ofArray(value));
            }
            writer.commit();
        }
    }

    private void index(String weightMap) throws IOException {
        Files.writeString(
                directory.resolve("model.safetensors.index.json"),
                "{\"metadata\":{\"total_size\":2},\"weight_map\":" + weightMap + "}");
    }

    private static int value(Checkpoint checkpoint, String name) {
        return checkpoint.tensors().get(name).data().get(ValueLayout.JAVA_BYTE, 0);
    }

    private void refused(String complaint) {
        assertThatThrownBy(() -> Checkpoint.open(directory))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining(complaint);
    }

    @Test
    void opensASingleFileFirst() throws Exception {
        write(directory.resolve("model.safetensors"), Map.of("a", 1));
        index("{\"a\":\"gone.safetensors\"}");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(value(checkpoint, "a")).isEqualTo(1);
            assertThat(checkpoint.metadata()).containsExactly(Map.entry("format", "pt"));
            assertThat(checkpoint.files()).containsExactly(directory.resolve("model.safetensors"));
        }
    }

    @Test
    void opensIndexedShards() throws Exception {
        write(directory.resolve("one.safetensors"), Map.of("a", 1));
        write(directory.resolve("two.safetensors"), Map.of("b", 2, "c", 3));
        index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(value(checkpoint, "a")).isEqualTo(1);
            assertThat(value(checkpoint, "b")).isEqualTo(2);
            assertThat(checkpoint.tensors()).containsOnlyKeys("a", "b", "c");
            assertThat(checkpoint.fileOf("b")).isEqualTo(directory.resolve("two.safetensors"));
            assertThat(checkpoint.fileOf("d")).isNull();
            assertThat(checkpoint.byteSize()).isEqualTo(3);
        }
    }

    @Test
    void opensNumberedShards() throws Exception {
        write(directory.resolve("model_0.safetensors"), Map.of("a", 1));
        for (int i = 1; i <= 10; i++) {
            write(directory.resolve("model_" + i + ".safetensors"), Map.of("b" + i, i));
        }
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(value(checkpoint, "a")).isEqualTo(1);
            assertThat(value(checkpoint, "b10")).isEqualTo(10);
        }
        Files.delete(directory.resolve("model_4.safetensors"));
        refused("model_4.safetensors: this shard is missing");
    }

    /** As the Hugging Face cache keeps files: the directory holds links to where the bytes are. */
    @Test
    void followsLinksOutOfTheDirectory() throws Exception {
        Path blobs = Files.createDirectories(temporary.resolve("blobs"));
        write(blobs.resolve("0123"), Map.of("a", 1));
        Files.createSymbolicLink(directory.resolve("one.safetensors"), Path.of("..", "..", "blobs", "0123"));
        index("{\"a\":\"one.safetensors\"}");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(value(checkpoint, "a")).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../out.safetensors",
                "x/../../out.safetensors",
                "x/../in",
                "..",
                "",
                ".\\\\..\\\\out",
                "a\\u0000b"
            })
    void refusesNamesThatLeaveTheDirectory(String name) throws Exception {
        write(directory.resolveSibling("out.safetensors"), Map.of("a", 1));
        Files.createDirectories(directory.resolve("x"));
        index("{\"a\":\"" + name + "\"}");
        refused("which is not the name of a file in its directory");
    }

    @Test
    void refusesAbsoluteNames() throws Exception {
        Path out = directory.resolveSibling("out.safetensors");
        write(out, Map.of("a", 1));
        index("{\"a\":\"" + out.toAbsolutePath().toString().replace("\\", "\\\\") + "\"}");
        refused("which is not the name of a file in its directory");
    }

    @Test
    void namesMissingShards() throws Exception {
        write(directory.resolve("one.safetensors"), Map.of("a", 1));
        index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\",\"c\":\"three.safetensors\"}");
        refused("2 of 3 shards are missing, among them two.safetensors");
    }

    @Test
    void namesATensorThatIsNotWhereTheIndexSays() throws Exception {
        write(directory.resolve("one.safetensors"), Map.of("a", 1));
        write(directory.resolve("two.safetensors"), Map.of("b", 2));
        index("{\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"}");
        refused("one.safetensors: has no tensor 'b'");
        index("{\"a\":\"two.safetensors\",\"b\":\"one.safetensors\"}");
        refused("has no tensor 'a'");
    }

    @Test
    void refusesATensorInTwoShards() throws Exception {
        write(directory.resolve("one.safetensors"), Map.of("a", 1));
        write(directory.resolve("two.safetensors"), Map.of("a", 1, "b", 2));
        index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        refused("two.safetensors: tensor 'a' is in " + directory.resolve("one.safetensors") + ", too");
    }

    @Test
    void refusesADamagedIndex() throws Exception {
        index("[]");
        refused("weight_map is not a JSON object");
        index("{}");
        refused("the index has no weight_map");
        index("{\"a\":1}");
        refused("weight_map 'a' is not a string");
        index("{\"a\":\"x\",\"a\":\"y\"}");
        refused("the name 'a' occurs twice");
        index("{");
        refused("the index is not valid JSON");
    }

    @Test
    void saysWhatItLookedFor() {
        refused("holds no weights: no model.safetensors, no model.safetensors.index.json, no model_0");
        assertThatThrownBy(() -> Checkpoint.open(directory.resolve("none"))).hasMessageContaining("no such directory");
    }
}
