package dev.xlstm.model;

import dev.xlstm.backend.LoadProgress;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.safetensors.DType;
import dev.xlstm.session.Session;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Quantised files whose matrices have any number of rows, 1 to 16 in the last panel: they compute what the rounded weights
 * compute in float32, and those are near the original ones.
 */
class QuantizedFileTest {

    private static final int H = 64;
    private static final int[] IDS = {1, 5, 3, 0, 2, 4, 5, 1, 6, 3, 2, 0, 6, 4, 1, 2, 3, 5, 4, 6, 0};

    @TempDir
    Path directory;

    /** H 64, heads 2, q and k of 24 rows, v 64; feed-forward and vocabulary as asked for. */
    private static TestModel model(int ffn, int vocab) {
        TestModel model = new TestModel();
        model.config.putAll(Map.of(
                "hidden_size",
                H,
                "qk_dim_factor",
                24.0 / H,
                "v_dim_factor",
                1.0,
                "ffn_proj_factor",
                ffn / (double) H,
                "ffn_round_up_to_multiple_of",
                1,
                "vocab_size",
                vocab));
        Map<String, TestModel.Stored> small = new TreeMap<>(model.tensors); // an order that is the same in every run
        Random random = new Random(vocab);
        small.forEach((name, stored) -> {
            long[] shape = stored.shape().clone();
            boolean head = name.startsWith("lm_head") || name.contains("embeddings");
            for (int i = 0; i < shape.length; i++) {
                shape[i] = head && i == 0
                        ? vocab
                        : shape[i] == TestModel.U
                                ? ffn
                                : shape[i] == TestModel.H ? H : shape[i] == TestModel.QK ? 24 : shape[i];
            }
            int size = (int) (shape.length == 1 ? shape[0] : shape[0] * shape[1]);
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = shape.length == 1 ? 1 : (float) random.nextGaussian() / 8;
            }
            model.tensors.put(name, new TestModel.Stored(DType.F32, values, shape));
        });
        return model;
    }

    /** Logits after the ids fed at once, and after one more. */
    private static float[][] logits(Path path, int threads) throws IOException {
        try (ModelDirectory files = ModelDirectory.open(path);
                LoadedModel loaded = new CpuBackend().load(files.weights(), threads, LoadProgress.NONE);
                Session session = new Session(loaded)) {
            session.feed(IDS);
            float[] many = session.logits().clone();
            session.feed(1);
            return new float[][] {many, session.logits().clone()};
        }
    }

    @ParameterizedTest
    @CsvSource({
        "q8_0, 96, 7, 127, 0.8", "q8_0, 160, 33, 127, 0.8", "q8_0, 200, 47, 127, 0.8", "q8_0, 173, 101, 127, 0.8",
        "q4_0, 96, 7, 8, 2.1", "q4_0, 160, 33, 8, 2.1", "q4_0, 200, 47, 8, 2.1", "q4_0, 173, 101, 8, 2.1",
    })
    void rowsOfAnyNumber(String format, int ffn, int vocab, int levels, float steps) throws IOException {
        TestModel model = model(ffn, vocab);
        Path plain = model.write(directory.resolve("plain"));
        Path quantised = directory.resolve("quantised");
        try (ModelDirectory files = ModelDirectory.open(plain)) {
            CheckpointQuantizer.quantize(files, quantised, WeightFormat.of(format), (done, total) -> {});
        }
        int rounded = 0;
        try (ModelDirectory files = ModelDirectory.open(quantised)) {
            for (Map.Entry<String, WeightMatrix> entry : files.matrices().entrySet()) {
                WeightMatrix matrix = entry.getValue();
                float[] values = new float[matrix.rows() * matrix.columns()];
                for (int r = 0; r < matrix.rows(); r++) {
                    matrix.unpack(r, 0, matrix.columns(), values, r * matrix.columns());
                }
                if (matrix.format().toString().equals(format)) {
                    rounded++;
                    assertNear(values, model.tensors.get(entry.getKey()).values(), steps / levels);
                }
                model.tensors.put(
                        entry.getKey(), new TestModel.Stored(DType.F32, values, matrix.rows(), matrix.columns()));
            }
        }
        assertThat(rounded).isGreaterThanOrEqualTo(2 * 7 + 1);
        float[][] expected = logits(model.write(directory.resolve("twin")), 1);
        for (int threads : new int[] {1, 3}) {
            float[][] actual = logits(quantised, threads);
            for (int at = 0; at < 2; at++) {
                assertThat(actual[at]).hasSize(vocab);
                assertThat(distance(actual[at], expected[at]))
                        .as("from the twin")
                        .isLessThan(0.1); // activations of 8 bits give 0.03, a row out of place 1
            }
        }
    }

    /** Each weight, as a part of the largest of its block. */
    private static void assertNear(float[] actual, float[] expected, float error) {
        for (int block = 0; block < expected.length; block += WeightMatrix.BLOCK) {
            float largest = 0;
            float difference = 0;
            for (int i = block; i < block + WeightMatrix.BLOCK; i++) {
                largest = Math.max(largest, Math.abs(expected[i]));
                difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
            }
            assertThat(difference).isPositive().isLessThanOrEqualTo(error * largest);
        }
    }

    /** Of two vectors, relative to the length of the second. */
    private static double distance(float[] actual, float[] expected) {
        double square = 0;
        double length = 0;
        for (int i = 0; i < expected.length; i++) {
            square += Math.pow(actual[i] - expected[i], 2);
            length += Math.pow(expected[i], 2);
        }
        return Math.sqrt(square / length);
    }
}
