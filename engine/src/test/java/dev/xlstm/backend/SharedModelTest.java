package dev.xlstm.backend;

import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.bench.RandomWeights;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.session.Session;
import dev.xlstm.tensor.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Members of a shared model. A lost wake-up would block a thread forever, so each test has a time limit. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SharedModelTest {

    private final Arena arena = Arena.ofShared();
    private final AtomicInteger passes = new AtomicInteger();
    private LoadedModel model;
    private LoadedModel counted;

    @BeforeEach
    void load() {
        XlstmConfig config = RandomWeights.shape("demo");
        model = new CpuBackend().load(RandomWeights.create(config, WeightFormat.F32, arena), 2);
        counted = new Counted();
    }

    @AfterEach
    void close() {
        model.close();
        arena.close();
    }

    private final class Counted implements LoadedModel {
        @Override
        public XlstmConfig config() {
            return model.config();
        }

        @Override
        public int maxRows() {
            return model.maxRows();
        }

        @Override
        public State newState() {
            return model.newState();
        }

        @Override
        public void forward(Batch batch, float[] logits) {
            passes.incrementAndGet();
            model.forward(batch, logits);
        }

        @Override
        public void close() {}
    }

    private static int[] ids(int seed, int count) {
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = (seed * 97 + i * 31) % 2048;
        }
        return ids;
    }

    private static List<float[]> logitsOfSteps(Session session, int seed) {
        List<float[]> all = new ArrayList<>();
        session.feed(ids(seed, 5 + seed * 60)); // some fill more than a chunk
        for (int step = 0; step < 6; step++) {
            all.add(session.logits().clone());
            session.feed(step * 11 + seed);
        }
        return all;
    }

    @Test
    void membersComputeWhatTheyWouldAloneInFewerPasses() throws Exception {
        int members = 5;
        SharedModel shared = new SharedModel(counted);
        List<List<float[]>> together = onThreads(members, shared);
        int sharedPasses = passes.getAndSet(0);

        for (int m = 0; m < members; m++) {
            try (Session alone = new Session(counted)) {
                List<float[]> expected = logitsOfSteps(alone, m);
                for (int step = 0; step < expected.size(); step++) {
                    for (int i = 0; i < expected.get(step).length; i++) {
                        assertThat(together.get(m).get(step)[i]).isCloseTo(expected.get(step)[i], within(2e-3f));
                    }
                }
            }
        }
        assertThat(sharedPasses).isLessThan(passes.get() / 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "f16", "bf16", "q8_0", "q4_0"})
    void stepsTogetherHaveTheBitsOfStepsAlone(String format) throws Exception {
        XlstmConfig config = RandomWeights.shape("demo");
        try (LoadedModel plain =
                new CpuBackend().load(RandomWeights.create(config, WeightFormat.of(format), arena), 2)) {
            BiFunction<Session, Integer, List<float[]>> steps = (session, seed) -> {
                List<float[]> all = new ArrayList<>();
                for (int id : ids(seed, 12)) {
                    session.feed(id);
                    all.add(session.logits().clone());
                }
                return all;
            };
            int members = WeightFormat.of(format).isQuantized() ? 36 : 5; // quantised ones need not be few
            List<List<float[]>> together = onThreads(members, new SharedModel(plain), steps);
            for (int m = 0; m < members; m++) {
                try (Session alone = new Session(plain)) {
                    assertThat(together.get(m)).containsExactlyElementsOf(steps.apply(alone, m));
                }
            }
        }
    }

    private static List<List<float[]>> onThreads(int members, SharedModel shared) throws Exception {
        return onThreads(members, shared, SharedModelTest::logitsOfSteps);
    }

    private static List<List<float[]>> onThreads(
            int members, SharedModel shared, BiFunction<Session, Integer, List<float[]>> steps) throws Exception {
        List<LoadedModel> joined = new ArrayList<>();
        for (int m = 0; m < members; m++) {
            joined.add(shared.join()); // all, before any computes: so they begin together
        }
        try (ExecutorService pool = Executors.newFixedThreadPool(members)) {
            List<Future<List<float[]>>> futures = new ArrayList<>();
            for (int m = 0; m < members; m++) {
                int number = m;
                Callable<List<float[]>> work = () -> {
                    try (LoadedModel member = joined.get(number);
                            Session session = new Session(member)) {
                        return steps.apply(session, number);
                    }
                };
                futures.add(pool.submit(work));
            }
            List<List<float[]>> results = new ArrayList<>();
            for (Future<List<float[]>> future : futures) {
                results.add(future.get());
            }
            return results;
        }
    }

    @Test
    void aMemberThatLeavesIsNotWaitedFor() {
        SharedModel shared = new SharedModel(counted);
        LoadedModel idle = shared.join();
        try (LoadedModel busy = shared.join()) {
            idle.close();
            idle.close(); // once more does no harm
            try (Session session = new Session(busy)) {
                session.feed(1, 2, 3);
                assertThat(session.logits()).hasSize(2048);
            }
        }
    }

    @Test
    void aPassThatRunsOutOfMemoryIsToldAsThat() {
        LoadedModel failing = (LoadedModel) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {LoadedModel.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("forward")) {
                        throw new OutOfMemoryError("as if");
                    }
                    return method.invoke(counted, arguments);
                });
        LoadedModel member = new SharedModel(failing).join();
        assertThatThrownBy(() -> member.forward(new Batch(), new float[0])).isInstanceOf(OutOfMemoryError.class);
    }

    /** A session may be closed after its member: the state belongs to the shared model. */
    @Test
    void aPassThatFailsFailsForAllInItAndForNoneAfter() throws Exception {
        SharedModel shared = new SharedModel(counted);
        LoadedModel one = shared.join();
        LoadedModel other = shared.join();
        try (ExecutorService pool = Executors.newFixedThreadPool(2);
                State state = model.newState();
                State second = model.newState()) {
            Batch bad = new Batch().add(state, new int[] {1 << 20}, 0, 1, Batch.Logits.LAST);
            Batch good = new Batch().add(second, new int[] {1}, 0, 1, Batch.Logits.LAST);
            float[] logits = new float[2048];
            Future<?> first = pool.submit(() -> one.forward(bad, logits));
            Future<?> innocent = pool.submit(() -> other.forward(good, new float[2048]));
            assertThatThrownBy(first::get).hasMessageContaining("outside the vocabulary");
            assertThatThrownBy(innocent::get).hasMessageContaining("outside the vocabulary");

            one.close();
            other.forward(good, logits);
            assertThat(logits).doesNotContain(Float.NaN);
        }
    }
}
