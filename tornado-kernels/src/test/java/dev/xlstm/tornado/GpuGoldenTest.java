package dev.xlstm.tornado;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.XlstmConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * The device against the figures of the reference implementation, for every fixture.
 *
 * <p>Kernels are compiled for strict float32 and sum in trees or in 64 strands, so their error is below that of the
 * sequential sums the fixtures' own tolerance (8 times the reference's float32 error) allows for. Functions are OpenCL's,
 * within 5 units in the last place, where the reference has 1: that is far below what the sums lose. The tolerances are
 * therefore those of the CPU backend.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("models")
class GpuGoldenTest {

    private static final float STATE_TOLERANCE = 5e-5f; // of the largest element of each part

    private static GoldenFixture golden;
    private static ModelDirectory directory;
    private static LoadedModel gpu;
    private static LoadedModel cpu;

    GpuGoldenTest(String name) {
        assertThat(golden.directory).hasFileName(name);
    }

    static Stream<String> models() throws Exception {
        return GoldenFixture.models();
    }

    @BeforeParameterizedClassInvocation
    static void load(String name) throws Exception {
        golden = new GoldenFixture(name);
        directory = ModelDirectory.open(golden.directory);
        gpu = new GpuBackend().load(directory.weights(), 1);
        cpu = new CpuBackend().load(directory.weights(), 1);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        gpu.close();
        cpu.close();
        directory.close();
        golden.close();
    }

    @Test
    @DisplayName("a prompt in chunks, then greedy steps: logits, ids and states of the reference")
    void promptInChunksThenGreedySteps() {
        int vocab = gpu.config().vocabSize();
        try (State state = gpu.newState()) {
            float[] logits = feed(gpu, state, golden.ids("prompt_ids"), 256, Logits.ALL);
            assertLogits(logits, 0);
            assertState("state_float64", state);

            float[] continuation = golden.floats("continuation_logits");
            int[] expected = golden.ids("continuation_ids");
            float[] last = Arrays.copyOfRange(logits, logits.length - vocab, logits.length);
            for (int step = 0; step < expected.length; step++) {
                assertClose(last, 0, Arrays.copyOfRange(continuation, step * vocab, (step + 1) * vocab));
                int best = argMax(last);
                assertThat(best).as("greedy id %d", step).isEqualTo(expected[step]);
                last = feed(gpu, state, new int[] {best}, 1, Logits.LAST);
            }
            assertState("state_after_continuation", state);
        }
    }

    @Test
    @DisplayName("chunks of odd lengths without logits, then steps: the same")
    void oddChunksThenSteps() {
        int[] prompt = golden.ids("prompt_ids");
        int steps = Math.min(30, prompt.length - 1);
        int head = prompt.length - steps;
        try (State state = gpu.newState()) {
            feed(gpu, state, Arrays.copyOf(prompt, head), 37, Logits.NONE);
            assertLogits(feed(gpu, state, Arrays.copyOfRange(prompt, head, prompt.length), 1, Logits.ALL), head);
            assertState("state_float64", state);
        }
    }

    @Test
    @DisplayName("sequences in one batch do not see each other, even when there are more than the device holds")
    void sequencesInOneBatchAreIndependent() {
        int vocab = gpu.config().vocabSize();
        int[] ids = golden.ids("prompt_ids");
        int count = 11;
        State[] states = new State[count];
        Batch batch = new Batch();
        float[] logits = new float[(count + 4) * vocab];
        for (int i = 0; i < count; i++) {
            states[i] = gpu.newState();
            batch.add(states[i], ids, i, i + 1 + i % 3, Logits.NONE);
        }
        gpu.forward(batch, null);
        batch.clear();
        for (int i = count - 1; i >= 0; i--) {
            batch.add(states[i], ids, i + 1 + i % 3, i == 5 ? i + 8 : i + 4, i == 5 ? Logits.ALL : Logits.LAST);
        }
        gpu.forward(batch, logits);
        int row = 0;
        for (int i = count - 1; i >= 0; i--) {
            int to = i == 5 ? i + 8 : i + 4;
            try (State alone = cpu.newState()) {
                float[] expected = feed(cpu, alone, Arrays.copyOfRange(ids, i, to), 64, Logits.ALL);
                int rows = i == 5 ? to - (i + 1 + i % 3) : 1;
                assertClose(
                        logits,
                        row * vocab,
                        Arrays.copyOfRange(expected, expected.length - rows * vocab, expected.length));
                row += rows;
            }
            states[i].close();
        }
        assertThat(row).isEqualTo(batch.logitRows());
    }

    @Test
    @DisplayName("a state moves between the backends, and copies go their own way")
    void statesMoveBetweenBackends() {
        int[] ids = golden.ids("prompt_ids");
        int half = ids.length / 2;
        int[] first = Arrays.copyOf(ids, half);
        int[] second = Arrays.copyOfRange(ids, half, ids.length);
        try (Arena arena = Arena.ofConfined();
                State onGpu = gpu.newState();
                State copy = gpu.newState();
                State onCpu = cpu.newState()) {
            feed(gpu, onGpu, first, 64, Logits.NONE);
            copy.copyFrom(onGpu);
            MemorySegment canonical = arena.allocate(onGpu.byteSize(), 4);
            onGpu.write(canonical);
            onCpu.read(canonical);
            float[] expected = feed(cpu, onCpu, second, 64, Logits.ALL);
            assertClose(feed(gpu, onGpu, second, 64, Logits.ALL), 0, expected);
            assertClose(feed(gpu, copy, second, 1 + half / 3, Logits.ALL), 0, expected);

            onGpu.reset();
            feed(cpu, onCpu, first, 64, Logits.NONE);
            onCpu.write(canonical);
            onGpu.read(canonical);
            assertClose(feed(gpu, onGpu, second, 64, Logits.LAST), 0, feed(cpu, onCpu, second, 64, Logits.LAST));
        }
    }

    private static float[] feed(LoadedModel model, State state, int[] ids, int chunk, Logits wanted) {
        int vocab = model.config().vocabSize();
        float[] all = new float[wanted == Logits.ALL ? ids.length * vocab : vocab];
        Batch batch = new Batch();
        for (int from = 0; from < ids.length; from += chunk) {
            int to = Math.min(from + chunk, ids.length);
            float[] rows = new float[(to - from) * vocab];
            model.forward(batch.clear().add(state, ids, from, to, wanted), rows);
            System.arraycopy(rows, 0, all, wanted == Logits.ALL ? from * vocab : 0, batch.logitRows() * vocab);
        }
        return all;
    }

    /** Logits of the prompt's rows from {@code firstRow} on against those the fixture has. */
    private static void assertLogits(float[] logits, int firstRow) {
        int vocab = gpu.config().vocabSize();
        int from = golden.json.get("logits_positions").get(0).asInt();
        int to = golden.json.get("logits_positions").get(1).asInt();
        int shared = Math.max(from, firstRow);
        for (String run : new String[] {"logits_float64", "logits_recurrent", "logits_chunkwise"}) {
            float[] expected = golden.floats(run);
            assertThat(expected).hasSize((to - from) * vocab);
            assertClose(
                    logits,
                    (shared - firstRow) * vocab,
                    Arrays.copyOfRange(expected, (shared - from) * vocab, expected.length));
        }
    }

    private static void assertClose(float[] actual, int offset, float[] expected) {
        float worst = 0;
        for (int i = 0; i < expected.length; i++) {
            float difference = Math.abs(actual[offset + i] - expected[i]);
            worst = difference <= worst ? worst : difference; // keeps NaN
        }
        assertThat(worst).as("largest difference of a logit").isLessThanOrEqualTo(golden.logitTolerance());
    }

    private static void assertState(String prefix, State state) {
        XlstmConfig config = gpu.config();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment canonical = arena.allocate(state.byteSize(), 4);
            state.write(canonical);
            long at = 0;
            for (int layer = 0; layer < config.numLayers(); layer++) {
                for (String part : new String[] {"c", "n", "m"}) {
                    float scale = 0;
                    float worst = 0;
                    for (float expected : golden.floats(prefix + "." + layer + "." + part)) {
                        float difference = Math.abs(canonical.get(JAVA_FLOAT, at) - expected);
                        worst = difference <= worst ? worst : difference;
                        scale = Math.max(scale, Math.abs(expected));
                        at += 4;
                    }
                    assertThat(worst / scale).as("%s of layer %d", part, layer).isLessThan(STATE_TOLERANCE);
                }
            }
            assertThat(at).isEqualTo(canonical.byteSize());
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
