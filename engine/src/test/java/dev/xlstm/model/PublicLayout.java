package dev.xlstm.model;

import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.SafetensorsWriter;
import dev.xlstm.safetensors.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import tools.jackson.databind.json.JsonMapper;

/** A fixture's config and tensors, to be written again in the layout of a public checkpoint. */
final class PublicLayout {

    private static final Path TEST_DATA = Path.of("../test-data");

    /** The original xLSTM large fixture. */
    static final String LARGE = "fixtures/tiny-f32";

    static final String MIXED = "fixtures-blocks/blocks-mixed";
    static final String TIED = "fixtures-blocks/blocks-tied";

    /** A tensor with its bytes. */
    record Stored(DType dtype, long[] shape, byte[] bytes) {}

    Map<String, Object> config;
    Map<String, Stored> tensors = new LinkedHashMap<>();
    String configName = "config.json";
    String weightsName = "model.safetensors";

    @SuppressWarnings("unchecked")
    PublicLayout(String fixture) throws IOException {
        Path directory = TEST_DATA.resolve(fixture);
        config = JsonMapper.shared().readValue(directory.resolve("config.json").toFile(), LinkedHashMap.class);
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            checkpoint
                    .tensors()
                    .values()
                    .forEach(t -> tensors.put(
                            t.name(), new Stored(t.dtype(), t.shape(), t.data().toArray(ValueLayout.JAVA_BYTE))));
        }
    }

    PublicLayout with(String field, Object value) {
        config.put(field, value);
        return this;
    }

    PublicLayout without(String tensor) {
        tensors.remove(tensor);
        return this;
    }

    PublicLayout renamed(UnaryOperator<String> name) {
        Map<String, Stored> renamed = new LinkedHashMap<>();
        tensors.forEach((old, tensor) -> renamed.put(name.apply(old), tensor));
        tensors = renamed;
        return this;
    }

    /** Puts the config into an object of another. */
    PublicLayout wrapped(String field, Map<String, Object> around) {
        Map<String, Object> outer = new LinkedHashMap<>(around);
        outer.put(field, config);
        config = outer;
        return this;
    }

    /** JSON is YAML, too. */
    PublicLayout inYaml() {
        configName = "config.yaml";
        return this;
    }

    PublicLayout write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.write(directory.resolve(configName), JsonMapper.shared().writeValueAsBytes(config));
        List<TensorInfo> infos = tensors.entrySet().stream()
                .map(e -> new TensorInfo(e.getKey(), e.getValue().dtype, e.getValue().shape))
                .toList();
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(directory.resolve(weightsName), Map.of("format", "pt"), infos)) {
            for (Map.Entry<String, Stored> entry : tensors.entrySet()) {
                writer.write(entry.getKey(), MemorySegment.ofArray(entry.getValue().bytes));
            }
            writer.commit();
        }
        return this;
    }
}
