package dev.xlstm.model;

import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.SafetensorsWriter;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class CheckpointQuantizerTest {

    private static final Path DEMO = Path.of("../test-data/demo-model");

    @TempDir
    Path directory;

    private Path quantize(String format) throws IOException {
        Path target = directory.resolve("quantised");
        try (ModelDirectory demo = ModelDirectory.open(DEMO)) {
            CheckpointQuantizer.quantize(demo, target, WeightFormat.of(format), (done, total) -> {});
        }
        return target;
    }

    private static float[] row(WeightMatrix matrix, int row) {
        float[] values = new float[matrix.columns()];
        matrix.unpack(row, 0, matrix.columns(), values, 0);
        return values;
    }

    /**
     * In q8_0 a rounded weight is at most half a step away, plus what the scale's own rounding moves the largest. In q4_0 the
     * scale with the least squared error may cut off large weights; the search goes down to 9.5 steps for the largest, of
     * which there are 8 on one side and 7 on the other.
     */
    @ParameterizedTest
    @CsvSource({"q8_0, 127, 0.8", "q4_0, 8, 2.1"})
    void weightsAreNearAndTheRestIsTheSame(String format, int levels, float steps) throws IOException {
        Path target = quantize(format);
        try (ModelDirectory demo = ModelDirectory.open(DEMO);
                ModelDirectory copy = ModelDirectory.open(target)) {
            assertThat(copy.unusedTensors()).isEmpty();
            XlstmWeights before = demo.weights();
            XlstmWeights after = copy.weights();
            assertThat(after.head().matrix().format()).hasToString(format);
            assertThat(after.embedding().format()).isEqualTo(before.embedding().format());
            for (int l = 0; l < before.blocks().size(); l++) {
                BlockWeights.Large from = (BlockWeights.Large) before.blocks().get(l);
                BlockWeights.Large to = (BlockWeights.Large) after.blocks().get(l);
                assertThat(to.inputGate().matrix().format())
                        .isEqualTo(from.inputGate().matrix().format());
                assertThat(to.forgetGate().bias()).isEqualTo(from.forgetGate().bias());
                assertThat(to.multiheadNorm().weight())
                        .isEqualTo(from.multiheadNorm().weight());
                assertNear(to.v().matrix(), from.v().matrix(), levels, steps);
                assertNear(
                        to.feedForward().down().matrix(),
                        from.feedForward().down().matrix(),
                        levels,
                        steps);
            }
            assertNear(after.head().matrix(), before.head().matrix(), levels, steps);
        }
        for (String name : List.of("config.json", "tokenizer.json", "generation_config.json")) {
            assertThat(target.resolve(name)).hasSameBinaryContentAs(DEMO.resolve(name));
        }
        assertThat(directory).isDirectoryNotContaining("glob:**/.*"); // nothing left over
    }

    private static void assertNear(WeightMatrix actual, WeightMatrix expected, int levels, float steps) {
        for (int r = 0; r < expected.rows(); r++) {
            float[] weights = row(expected, r);
            float[] rounded = row(actual, r);
            for (int block = 0; block < weights.length; block += WeightMatrix.BLOCK) {
                float largest = 0;
                for (int i = block; i < block + WeightMatrix.BLOCK; i++) {
                    largest = Math.max(largest, Math.abs(weights[i]));
                }
                for (int i = block; i < block + WeightMatrix.BLOCK; i++) {
                    assertThat(Math.abs(rounded[i] - weights[i])).isLessThanOrEqualTo(steps * largest / levels);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"q8_0", "q4_0"})
    void convertingWhileLoadingGivesTheSameBits(String format) throws IOException {
        try (ModelDirectory written = ModelDirectory.open(quantize(format));
                ModelDirectory converted = ModelDirectory.open(DEMO)) {
            converted.convertTo(format);
            converted.weights();
            assertThat(written.matrices().keySet())
                    .isEqualTo(converted.matrices().keySet());
            for (Map.Entry<String, WeightMatrix> entry : written.matrices().entrySet()) {
                WeightMatrix other = converted.matrices().get(entry.getKey());
                assertThat(entry.getValue().format()).isEqualTo(other.format());
                for (int r = 0; r < other.rows(); r++) {
                    assertThat(row(entry.getValue(), r)).isEqualTo(row(other, r));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"f32, 0", "f16, 0.0005", "bf16, 0"})
    void convertingToAnUnquantisedFormatRoundsToNearest(String format, float error) throws IOException {
        try (ModelDirectory stored = ModelDirectory.open(DEMO);
                ModelDirectory converted = ModelDirectory.open(DEMO)) {
            converted.convertTo(format);
            WeightMatrix from =
                    stored.weights().blocks().getFirst().linears().getFirst().matrix();
            WeightMatrix to =
                    converted.weights().blocks().getFirst().linears().getFirst().matrix();
            assertThat(to.format()).hasToString(format);
            for (int r = 0; r < from.rows(); r++) {
                float[] expected = row(from, r);
                float[] actual = row(to, r);
                for (int i = 0; i < expected.length; i++) {
                    // below f16's normal range the step is absolute
                    assertThat(Math.abs(actual[i] - expected[i]))
                            .isLessThanOrEqualTo(Math.max(error * Math.abs(expected[i]), error * 1e-4f));
                }
            }
        }
    }

    @Test
    void whatAKilledRunLeftIsClearedAway() throws IOException {
        Path partial = Files.createDirectories(directory.resolve(".quantised.partial"));
        Files.writeString(partial.resolve("lock"), "");
        Files.writeString(partial.resolve("config.json"), "{");
        Files.writeString(partial.resolve(".model.safetensors.1234.tmp"), "half");

        Path target = quantize("q8_0");

        assertThat(partial).doesNotExist();
        assertThat(target.resolve("config.json")).hasSameBinaryContentAs(DEMO.resolve("config.json"));
        assertThat(target).isDirectoryNotContaining("glob:**/{.*,lock}");
    }

    @Test
    void cancelledWorkLeavesNothing() throws IOException {
        try (ModelDirectory demo = ModelDirectory.open(DEMO)) {
            assertThatThrownBy(() -> CheckpointQuantizer.quantize(
                            demo, directory.resolve("new/quantised"), WeightFormat.Q4_0, (done, total) -> {
                                throw new CancellationException();
                            }))
                    .isInstanceOf(CancellationException.class);
        }
        assertThat(directory.resolve("new")).isEmptyDirectory();
    }

    @Test
    void aTargetInUseIsLeftAlone() throws IOException {
        Path file = Files.writeString(
                Files.createDirectories(directory.resolve("quantised")).resolve("mine"), "precious");
        assertThatThrownBy(() -> quantize("q8_0")).hasMessageContaining("is there already");
        assertThat(file).hasContent("precious");
    }

    @Test
    void quantisingTwiceIsRefused() throws IOException {
        Path once = quantize("q8_0");
        try (ModelDirectory quantised = ModelDirectory.open(once)) {
            assertThatThrownBy(() -> CheckpointQuantizer.quantize(
                            quantised, directory.resolve("twice"), WeightFormat.Q4_0, (done, total) -> {}))
                    .isInstanceOf(ModelException.class)
                    .hasMessageContaining("quantised already");
        }
    }

    @Test
    void weightsThatAreNotFiniteAreNamed() throws IOException {
        Path broken = Files.createDirectories(directory.resolve("broken"));
        Files.copy(DEMO.resolve("config.json"), broken.resolve("config.json"));
        rewrite(
                DEMO.resolve("model.safetensors"),
                broken.resolve("model.safetensors"),
                UnaryOperator.identity(),
                tensor -> tensor.name().equals("lm_head.weight")
                        ? new Tensor(
                                tensor.name(),
                                tensor.dtype(),
                                tensor.shape(),
                                MemorySegment.ofArray(
                                                new byte[(int) tensor.data().byteSize()])
                                        .fill((byte) 0xff))
                        : tensor);
        try (ModelDirectory model = ModelDirectory.open(broken)) {
            assertThatThrownBy(() -> CheckpointQuantizer.quantize(
                            model, directory.resolve("out"), WeightFormat.Q8_0, (done, total) -> {}))
                    .hasMessageStartingWith(
                            "tensor 'lm_head.weight', row 0: ") // no class name, whichever thread failed
                    .hasMessageContaining("NaN");
        }
        assertThat(directory.resolve("out")).doesNotExist();
    }

    @Test
    void strangeSchemesAndTensorsAreRefused() throws IOException {
        Path quantised = quantize("q8_0");
        Path file = quantised.resolve("model.safetensors");
        Path original = Files.move(file, directory.resolve("original"));
        String head = "lm_head.weight";

        rewrite(original, file, without("xlstm.quantization"), UnaryOperator.identity());
        assertRefused(quantised, "have no xlstm.quantization");

        rewrite(original, file, with("xlstm.quantization", "q3_k"), UnaryOperator.identity());
        assertRefused(quantised, "'q3_k'; known are q8_0 and q4_0");

        rewrite(original, file, with("xlstm.quantization", "q4_0"), UnaryOperator.identity());
        assertRefused(quantised, "is U8 [4, 8, 1088], but the config and the quantisation ask for U8 [4, 8, 576]");

        rewrite(original, file, with("xlstm.quantization.version", "2"), UnaryOperator.identity());
        assertRefused(quantised, "'2', not 3; quantise the original model again with xlstm quantize");

        rewrite(original, file, UnaryOperator.identity(), t -> t.name().equals(head) ? null : t);
        assertRefused(quantised, "missing: lm_head.weight");

        rewrite(
                original,
                file,
                UnaryOperator.identity(),
                t -> t.name().equals(head) ? new Tensor(t.name(), DType.I8, t.shape(), t.data()) : t);
        assertRefused(quantised, "tensor 'lm_head.weight' is I8");

        rewrite(
                original,
                file,
                UnaryOperator.identity(),
                t -> t.name().equals(head)
                        ? new Tensor(
                                t.name(), t.dtype(), new long[] {t.shape()[1], t.shape()[0], t.shape()[2]}, t.data())
                        : t);
        assertRefused(quantised, "tensor 'lm_head.weight' is U8 [8, 64, 1088]");
    }

    private static UnaryOperator<Map<String, String>> without(String key) {
        return metadata -> {
            metadata.remove(key);
            return metadata;
        };
    }

    private static UnaryOperator<Map<String, String>> with(String key, String value) {
        return metadata -> {
            metadata.put(key, value);
            return metadata;
        };
    }

    private static void assertRefused(Path model, String why) throws IOException {
        try (ModelDirectory directory = ModelDirectory.open(model)) {
            assertThatThrownBy(directory::weights)
                    .isInstanceOf(ModelException.class)
                    .hasMessageContaining(why);
        }
    }

    /** Copies a file with other metadata and tensors; null leaves one out. */
    private static void rewrite(
            Path from, Path to, UnaryOperator<Map<String, String>> metadata, UnaryOperator<Tensor> change)
            throws IOException {
        try (SafetensorsFile file = SafetensorsFile.open(from)) {
            List<Tensor> tensors = new ArrayList<>();
            for (Tensor tensor : file.tensors().values()) {
                Tensor changed = change.apply(tensor);
                if (changed != null) {
                    tensors.add(changed);
                }
            }
            List<TensorInfo> layout = tensors.stream()
                    .map(t -> new TensorInfo(t.name(), t.dtype(), t.shape()))
                    .toList();
            Map<String, String> changed = metadata.apply(new LinkedHashMap<>(file.metadata()));
            try (SafetensorsWriter writer = SafetensorsWriter.create(to, changed, layout)) {
                for (Tensor tensor : tensors) {
                    writer.write(tensor.name(), tensor.data());
                }
                writer.commit();
            }
        }
    }
}
