package dev.xlstm.backend.cpu;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.StateLayout;
import dev.xlstm.backend.StateLayout.Part;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.XlstmConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

/** The CPU backend against the figures of the reference implementation, for every fixture and several chunk lengths. */
class GoldenTest {

    static Stream<Arguments> modelsAndChunks() throws Exception {
        return models().flatMap(m -> Stream.of(1, 7, 64, 256).map(c -> Arguments.of(m, c)));
    }

    static Stream<String> models() throws Exception {
        return Stream.concat(GoldenFixture.models(), GoldenFixture.blockModels());
    }

    @ParameterizedTest(name = "{0} in chunks of {1}")
    @MethodSource("modelsAndChunks")
    void logitsStatesAndGreedyIdsAreThoseOfTheReference(String name, int chunk) throws Exception {
        try (GoldenFixture golden = new GoldenFixture(name);
                ModelDirectory directory = ModelDirectory.open(golden.directory);
                LoadedModel model = new CpuBackend().load(directory.weights(), 2);
                State state = model.newState()) {
            int[] prompt = golden.ids("prompt_ids");
            int vocab = model.config().vocabSize();
            float[] logits = feed(model, state, prompt, chunk, Logits.ALL);

            int from = golden.json.get("logits_positions").get(0).asInt();
            int to = golden.json.get("logits_positions").get(1).asInt();
            float tolerance = golden.logitTolerance();
            assertClose(logits, from * vocab, golden.floats("logits_float64"), (to - from) * vocab, tolerance);
            assertClose(logits, from * vocab, golden.floats("logits_recurrent"), (to - from) * vocab, tolerance);
            assertClose(
                    logits,
                    from * vocab,
                    golden.floats(golden.has("logits_chunkwise") ? "logits_chunkwise" : "logits_parallel"),
                    (to - from) * vocab,
                    tolerance);
            assertStateClose(golden, "state_float64", state, model.config());

            float[] continuation = golden.floats("continuation_logits");
            int[] expected = golden.ids("continuation_ids");
            float[] last = Arrays.copyOfRange(logits, logits.length - vocab, logits.length);
            for (int step = 0; step < expected.length; step++) {
                float[] row = Arrays.copyOfRange(continuation, step * vocab, (step + 1) * vocab);
                assertClose(last, 0, row, vocab, tolerance);
                int best = argMax(last);
                assertThat(best).as("greedy id %d", step).isEqualTo(expected[step]);
                last = feed(model, state, new int[] {best}, 1, Logits.LAST);
            }
            if (golden.has("state_after_continuation.0.conv") || golden.has("state_after_continuation.0.c")) {
                assertStateClose(golden, "state_after_continuation", state, model.config());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    @DisplayName("any number of threads gives the same bits")
    void threadsDoNotChangeBits(String name) throws Exception {
        float[] expected = null;
        try (GoldenFixture golden = new GoldenFixture(name);
                ModelDirectory directory = ModelDirectory.open(golden.directory)) {
            int[] prompt = golden.ids("prompt_ids");
            for (int threads : new int[] {1, 2, 3, 8}) {
                try (LoadedModel model = new CpuBackend().load(directory.weights(), threads);
                        State state = model.newState()) {
                    feed(model, state, prompt, 100, Logits.NONE);
                    float[] logits = feed(model, state, new int[] {3, 1, 4, 1, 5}, 1, Logits.ALL);
                    if (expected == null) {
                        expected = logits;
                    }
                    assertThat(logits).isEqualTo(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    @DisplayName("sequences in one batch do not see each other")
    void sequencesInOneBatchAreIndependent(String name) throws Exception {
        try (GoldenFixture golden = new GoldenFixture(name);
                ModelDirectory directory = ModelDirectory.open(golden.directory);
                LoadedModel model = new CpuBackend().load(directory.weights(), 2);
                State a = model.newState();
                State b = model.newState();
                State c = model.newState()) {
            int[] prompt = Arrays.copyOf(golden.ids("prompt_ids"), 40);
            int vocab = model.config().vocabSize();
            float[] together = new float[42 * vocab];
            Batch batch = new Batch();
            batch.add(a, prompt, 0, 5, Logits.NONE);
            batch.add(b, prompt, 0, 40, Logits.ALL);
            batch.add(c, prompt, 7, 8, Logits.LAST);
            assertThat(batch.logitRows()).isEqualTo(41);
            model.forward(batch, together);
            batch.clear().add(c, prompt, 8, 9, Logits.LAST).add(a, prompt, 5, 40, Logits.LAST);
            float[] rest = new float[2 * vocab];
            model.forward(batch, rest);

            try (State alone = model.newState()) {
                float[] expected = feed(model, alone, prompt, 40, Logits.ALL);
                assertClose(together, 0, expected, 40 * vocab, golden.logitTolerance());
                float[] last = Arrays.copyOfRange(expected, 39 * vocab, 40 * vocab);
                assertClose(rest, vocab, last, vocab, golden.logitTolerance());
            }
            try (State alone = model.newState()) {
                float[] expected = feed(model, alone, Arrays.copyOfRange(prompt, 7, 9), 1, Logits.ALL);
                assertClose(together, 40 * vocab, Arrays.copyOf(expected, vocab), vocab, golden.logitTolerance());
                float[] last = Arrays.copyOfRange(expected, vocab, 2 * vocab);
                assertClose(rest, 0, last, vocab, golden.logitTolerance());
            }
        }
    }

    /** Feeds ids in chunks; the logits of all rows, of the last, or none. */
    private static float[] feed(LoadedModel model, State state, int[] ids, int chunk, Logits wanted) {
        int vocab = model.config().vocabSize();
        float[] all = new float[wanted == Logits.ALL ? ids.length * vocab : vocab];
        Batch batch = new Batch();
        for (int from = 0; from < ids.length; from += chunk) {
            int to = Math.min(from + chunk, ids.length);
            float[] rows = new float[(to - from) * vocab];
            model.forward(batch.clear().add(state, ids, from, to, wanted), rows);
            if (wanted == Logits.ALL) {
                System.arraycopy(rows, 0, all, from * vocab, rows.length);
            } else {
                System.arraycopy(rows, 0, all, 0, vocab);
            }
        }
        return all;
    }

    private static void assertClose(float[] actual, int offset, float[] expected, int count, float tolerance) {
        assertThat(expected).hasSize(count);
        float worst = 0;
        for (int i = 0; i < count; i++) {
            float difference = Math.abs(actual[offset + i] - expected[i]);
            worst = difference <= worst ? worst : difference; // keeps NaN
        }
        assertThat(worst).as("largest difference of a logit").isLessThanOrEqualTo(tolerance);
    }

    /** States within a few times the float32 error of the reference, relative to the largest element of each part. */
    private static void assertStateClose(GoldenFixture golden, String run, State state, XlstmConfig config) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment canonical = arena.allocate(state.byteSize(), 4);
            state.write(canonical);
            StateLayout layout = StateLayout.of(config);
            assertThat(state.byteSize()).isEqualTo(layout.byteSize());
            for (Part part : layout.parts()) {
                BlockConfig shape = config.blocks().get(part.block());
                float[] expected = golden.state(run, part.block(), shape, part.name());
                assertThat(part.byteSize()).isEqualTo(4L * expected.length);
                float scale = 0;
                float worst = 0;
                for (int i = 0; i < expected.length; i++) {
                    float difference = Math.abs(canonical.get(JAVA_FLOAT, part.offset() + 4L * i) - expected[i]);
                    worst = difference <= worst ? worst : difference; // keeps NaN
                    scale = Math.max(scale, Math.abs(expected[i]));
                }
                assertThat(worst / scale).as(part.fullName()).isLessThan(golden.stateTolerance());
            }
        }
    }

    private static int argMax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
