package dev.xlstm.backend;

import dev.xlstm.model.BlockConfig;
import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

/** A small checkpoint with the figures the reference implementation computed from it. */
public final class GoldenFixture implements AutoCloseable {

    private static final String DEMO = "demo-model";
    private static final Path TEST_DATA = Path.of("../test-data");
    private static final Path FIXTURES = TEST_DATA.resolve("fixtures"); // xLSTM large
    private static final Path BLOCK_FIXTURES = TEST_DATA.resolve("fixtures-blocks"); // the original models

    public final Path directory;
    public final JsonNode json;
    private final SafetensorsFile tensors;

    public GoldenFixture(String name) throws IOException {
        boolean demo = name.equals(DEMO);
        Path fixtures = Files.exists(BLOCK_FIXTURES.resolve(name)) ? BLOCK_FIXTURES : FIXTURES;
        directory = demo ? TEST_DATA.resolve(DEMO) : fixtures.resolve(name);
        Path golden = demo ? TEST_DATA.resolve(DEMO + "-golden") : directory;
        json = JsonMapper.shared().readTree(golden.resolve("golden.json").toFile());
        tensors = SafetensorsFile.open(golden.resolve("golden.safetensors"));
    }

    /** The fixtures that are whole models of xLSTM large, and the demo model. */
    public static Stream<String> models() throws IOException {
        return Stream.concat(models(FIXTURES), Stream.of(DEMO));
    }

    /** The fixtures that are stacks of mLSTM and sLSTM blocks. */
    public static Stream<String> blockModels() throws IOException {
        return models(BLOCK_FIXTURES);
    }

    private static Stream<String> models(Path fixtures) throws IOException {
        return Files.list(fixtures)
                .filter(d -> Files.exists(d.resolve("config.json")))
                .map(d -> d.getFileName().toString())
                .sorted();
    }

    public boolean has(String name) {
        return tensors.tensors().containsKey(name);
    }

    public int[] ids(String field) {
        return json.get(field).valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    /** Largest difference of a logit from the float64 run that float32 arithmetic may make. */
    public float logitTolerance() {
        return (float) json.get("suggested_tolerance").get("logits_abs").asDouble();
    }

    /** Largest difference of a part of the state, as a share of its largest element. */
    public float stateTolerance() {
        return (float)
                json.get("suggested_tolerance").path("state_rel_to_absmax").asDouble(5e-5);
    }

    /** A part of a block's state, as far as it is kept: the reference's window has a row more, which it never uses. */
    public float[] state(String run, int block, BlockConfig shape, String part) {
        String name = run + "." + block + ".";
        if (shape instanceof BlockConfig.Large) {
            return floats(name + part);
        }
        if (part.equals("conv")) {
            Tensor window = tensors.tensors().get(name + part);
            float[] rows = floats(name + part);
            return Arrays.copyOfRange(rows, (int) window.shape()[1], rows.length);
        }
        return floats(name + (shape instanceof BlockConfig.Mlstm ? "mlstm." : "slstm.") + part);
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
