package dev.xlstm.backend;

import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

/** A small checkpoint with the figures the reference implementation computed from it. */
public final class GoldenFixture implements AutoCloseable {

    private static final String DEMO = "demo-model";
    private static final Path TEST_DATA = Path.of("../test-data");
    private static final Path FIXTURES = TEST_DATA.resolve("fixtures");

    public final Path directory;
    public final JsonNode json;
    private final SafetensorsFile tensors;

    public GoldenFixture(String name) throws IOException {
        boolean demo = name.equals(DEMO);
        directory = demo ? TEST_DATA.resolve(DEMO) : FIXTURES.resolve(name);
        Path golden = demo ? TEST_DATA.resolve(DEMO + "-golden") : directory;
        json = JsonMapper.shared().readTree(golden.resolve("golden.json").toFile());
        tensors = SafetensorsFile.open(golden.resolve("golden.safetensors"));
    }

    /** The fixtures that are whole models, and the demo model. */
    public static Stream<String> models() throws IOException {
        Stream<String> fixtures = Files.list(FIXTURES)
                .filter(d -> Files.exists(d.resolve("config.json")))
                .map(d -> d.getFileName().toString())
                .sorted();
        return Stream.concat(fixtures, Stream.of(DEMO));
    }

    public int[] ids(String field) {
        return json.get(field).valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    /** Largest difference of a logit from the float64 run that float32 arithmetic may make. */
    public float logitTolerance() {
        return (float) json.get("suggested_tolerance").get("logits_abs").asDouble();
    }

    public float[] floats(String name) {
        Tensor tensor = tensors.tensors().get(name);
        float[] out = new float[(int) tensor.elementCount()];
        for (int i = 0; i < out.length; i++) {
            out[i] = tensor.data().get(JAVA_FLOAT_UNALIGNED, 4L * i);
        }
        return out;
    }

    @Override
    public void close() {
        tensors.close();
    }
}
