package dev.xlstm.tornado;

import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.bench.Bench;
import dev.xlstm.model.Fingerprint;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.safetensors.DType;
import dev.xlstm.sampling.Sampler;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.session.Session;
import dev.xlstm.session.StateFile;
import dev.xlstm.session.TopLogitsCheck;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_K;
import static org.assertj.core.api.Assertions.assertThat;

/** Sessions of the demo model on the device and on the CPU. */
class GpuSessionTest {

    private static final int IDS = 60;

    private static ModelDirectory directory;
    private static LoadedModel gpu;
    private static LoadedModel cpu;
    private static Fingerprint fingerprint;
    private static final List<Long> PREPARED = new ArrayList<>(); // bytes and their total, in turn

    @TempDir
    private Path files;

    private final int[] prompt =
            new Random(1).ints(40, 0, gpu.config().vocabSize()).toArray();

    @BeforeAll
    static void load() throws IOException {
        directory = ModelDirectory.open(Path.of("..", "test-data", "demo-model"));
        gpu = new GpuBackend().load(directory.weights(), 1, (bytes, ofAll) -> PREPARED.addAll(List.of(bytes, ofAll)));
        cpu = new CpuBackend().load(directory.weights(), 1);
        fingerprint = Fingerprint.of(directory.weights());
    }

    @AfterAll
    static void close() {
        gpu.close();
        cpu.close();
        directory.close();
    }

    @Test
    @DisplayName("asking for the largest logits alone changes nothing else")
    void largestLogitsAlone() {
        TopLogitsCheck.run(gpu, 300, new Random(1));
    }

    @Test
    @DisplayName("loading tells how far it is, up to all bytes of the matrices")
    void loadingTellsHowFarItIs() throws IOException {
        long total = Bench.weightBytesPerToken(directory.weights());
        long before = 0;
        for (int i = 0; i < PREPARED.size(); i += 2) {
            assertThat(PREPARED.get(i)).isGreaterThan(before);
            assertThat(PREPARED.get(i + 1)).isEqualTo(total);
            before = PREPARED.get(i);
        }
        assertThat(before).isEqualTo(total);
    }

    @ParameterizedTest(name = "temperature {0}, top-k {1}")
    @CsvSource({"0, 0", "0.8, 40", "1.5, 64"})
    @DisplayName("ids sampled from what the device picks out are those the host samples, and those of the CPU backend")
    void sampledIds(float temperature, int k) {
        SamplingOptions options = SamplingOptions.defaults()
                .with(TEMPERATURE, temperature)
                .with(TOP_K, k)
                .withSeed(3);
        int[] ids = sample(gpu, options, true);
        assertThat(ids).isEqualTo(sample(gpu, options, false));
        assertThat(ids).isEqualTo(sample(cpu, options, false));
    }

    private int[] sample(LoadedModel model, SamplingOptions options, boolean fromLargest) {
        Sampler sampler = new Sampler(options, model.config().vocabSize());
        int[] ids = new int[IDS];
        try (Session session = new Session(model)) {
            session.feed(prompt);
            session.logits();
            session.feed(prompt[0]);
            for (int i = 0; i < IDS; i++) {
                if (fromLargest) {
                    var top = session.topLogits(sampler.reach());
                    ids[i] = sampler.next(top.ids(), top.logits());
                } else {
                    ids[i] = sampler.next(session.logits());
                }
                session.feed(ids[i]);
            }
        }
        return ids;
    }

    @Test
    @DisplayName("a state saved on one backend goes on with the same ids on the other")
    void stateFilesMoveBetweenBackends() throws IOException {
        try (Session original = new Session(cpu)) {
            original.feed(prompt);
            int[] expected = greedy(original);
            for (LoadedModel first : new LoadedModel[] {cpu, gpu}) {
                LoadedModel second = first == cpu ? gpu : cpu;
                Path file = files.resolve(first.device().replaceAll("\\W", ""));
                try (Session session = new Session(first)) {
                    session.feed(prompt, 0, 25);
                    session.logits();
                    StateFile.write(file, session, fingerprint, DType.F32, Map.of());
                }
                try (Session session = StateFile.read(file, second, fingerprint).session()) {
                    assertThat(session.position()).isEqualTo(25);
                    session.feed(prompt, 25, prompt.length);
                    assertThat(greedy(session)).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    @DisplayName("forks and copies go on like their original and alone, to the last bit, wherever their states are")
    void forksAndCopies() {
        int forks = 10; // more than the device has slots for
        Session[] sessions = new Session[forks];
        try (Session original = new Session(gpu)) {
            original.feed(prompt);
            original.logits();
            for (int i = 0; i < forks; i++) {
                sessions[i] = i % 2 == 0 ? original.fork() : new Session(gpu);
                sessions[i].feed(i);
                sessions[i].copyFrom(original);
            }
            int[] expected = greedy(original);
            float[] logits = original.logits().clone();
            for (Session session : sessions) {
                assertThat(greedy(session)).isEqualTo(expected);
                assertThat(session.logits()).isEqualTo(logits);
            }
        } finally {
            for (Session session : sessions) {
                session.close();
            }
        }
    }

    private static int[] greedy(Session session) {
        Sampler sampler = new Sampler(SamplingOptions.greedy(), gpu.config().vocabSize());
        int[] ids = new int[20];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = sampler.next(session.logits());
            session.feed(ids[i]);
        }
        return ids;
    }
}
