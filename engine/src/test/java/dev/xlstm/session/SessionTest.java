package dev.xlstm.session;

import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.model.ModelDirectory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Sessions of a model of each architecture. */
@ParameterizedClass
@ValueSource(strings = {"tiny-long", "blocks-step-long"})
class SessionTest {

    @Parameter
    String fixture;

    private GoldenFixture golden;
    private ModelDirectory directory;
    private LoadedModel model;

    @BeforeEach
    void load() throws Exception {
        golden = new GoldenFixture(fixture);
        directory = ModelDirectory.open(golden.directory);
        model = new CpuBackend().load(directory.weights(), 2);
    }

    @AfterEach
    void close() {
        model.close();
        directory.close();
        golden.close();
    }

    @Test
    void groupingOfIdsChangesNoBit() {
        int[] ids = golden.ids("prompt_ids");
        Random random = new Random(1);
        try (Session whole = new Session(model)) {
            whole.feed(ids);
            for (int round = 0; round < 5; round++) {
                try (Session pieces = new Session(model)) {
                    for (int at = 0; at < ids.length; ) {
                        int next = Math.min(ids.length, at + random.nextInt(400));
                        pieces.feed(ids, at, next);
                        at = next;
                    }
                    assertThat(pieces.logits()).isEqualTo(whole.logits());
                    assertThat(pieces.position()).isEqualTo(ids.length);
                }
            }
        }
    }

    @Test
    void aForkContinuesLikeItsOriginalAndIndependently() {
        int[] ids = golden.ids("prompt_ids");
        try (Session original = new Session(model)) {
            original.feed(ids, 0, 300);
            try (Session fork = original.fork();
                    Session late = fork.fork()) {
                original.feed(ids, 300, 700);
                float[] expected = original.logits().clone();
                original.feed(1, 2, 3);
                fork.feed(ids, 300, 700);
                assertThat(fork.logits()).isEqualTo(expected);
                fork.feed(9, 9);
                late.feed(ids, 300, 700);
                assertThat(late.logits()).isEqualTo(expected);
                assertThat(late.position()).isEqualTo(700);
            }
        }
    }

    @Test
    void scoresAreTheLogSoftmaxOfTheLogitsBefore() {
        int[] ids = Arrays.copyOf(golden.ids("prompt_ids"), 75);
        double[] scores = new double[75];
        try (Session scored = new Session(model);
                Session stepped = new Session(model)) {
            scored.score(ids, (index, logProbability) -> scores[index] = logProbability);
            assertThat(scores[0]).isNaN();
            stepped.feed(ids[0]);
            for (int t = 1; t < ids.length; t++) {
                double sum = 0;
                for (float logit : stepped.logits()) {
                    sum += Math.exp(logit);
                }
                double expected = stepped.logits()[ids[t]] - Math.log(sum);
                assertThat(scores[t]).isCloseTo(expected, within(5e-3));
                stepped.feed(ids[t]);
            }
            assertThat(scored.logits()).containsExactly(stepped.logits(), within(golden.logitTolerance()));
            scored.score(
                    new int[] {5},
                    (index, logProbability) -> assertThat(logProbability).isNegative());
            assertThat(scored.position()).isEqualTo(76);
        }
    }

    @Test
    void invalidIdsLeaveTheSessionUnchanged() {
        try (Session session = new Session(model)) {
            assertThatThrownBy(session::logits).isInstanceOf(IllegalStateException.class);
            session.feed(1, 2);
            float[] before = session.logits().clone();
            assertThatThrownBy(() -> session.feed(3, 256)).hasMessageContaining("256");
            assertThatThrownBy(() -> session.feed(-1)).hasMessageContaining("-1");
            assertThat(session.position()).isEqualTo(2);
            assertThat(session.logits()).isEqualTo(before);
        }
    }

    @Test
    void decodingAllocatesNothing() {
        com.sun.management.ThreadMXBean threads =
                (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        try (LoadedModel single = new CpuBackend().load(weights(), 1);
                Session session = new Session(single)) {
            int[] id = {7};
            // the Vector API allocates until its loops are compiled, which takes longer on a busy machine: a thousand
            // steps
            // without a byte must come some time
            long allocated = Long.MAX_VALUE;
            for (int round = 0; round < 500 && allocated > 0; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int step = 0; step < 1000; step++) {
                    session.feed(id, 0, 1);
                    session.logits();
                }
                allocated = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertThat(allocated).isZero();
        }
    }

    private dev.xlstm.model.XlstmWeights weights() {
        try {
            return directory.weights();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
