package dev.xlstm.session;

import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.bench.RandomWeights;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.tensor.Activation;
import dev.xlstm.tensor.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class VerifyTest {

    static Stream<Arguments> modelsAndThreads() throws Exception {
        return Stream.concat(GoldenFixture.models(), GoldenFixture.blockModels())
                .flatMap(name -> Stream.of(1, 3).map(threads -> Arguments.of(name, threads)));
    }

    @ParameterizedTest(name = "{0}, threads: {1}")
    @MethodSource("modelsAndThreads")
    @DisplayName("verify k and keep j equals feeding j ids one by one: logits and state, bit for bit")
    void verifyAndKeepEqualsFeeding(String name, int threads) throws Exception {
        try (GoldenFixture golden = new GoldenFixture(name);
                ModelDirectory directory = ModelDirectory.open(golden.directory);
                LoadedModel model = new CpuBackend().load(directory.weights(), threads);
                LoadedModel other = new CpuBackend().load(directory.weights(), threads);
                Session verifying = new Session(model);
                Session feeding = new Session(other)) {
            if (new Random(name.hashCode()).nextBoolean()) { // start from a prompt, or from nothing
                int[] prompt = golden.ids("prompt_ids");
                verifying.feed(prompt);
                feeding.feed(prompt);
                feeding.logits(); // verify computes the prompt itself
            }
            compare(verifying, feeding, new Random(1));
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("the same for weights of all formats, of both architectures")
    void allFormats(WeightFormat format) {
        BlockConfig.FeedForward feedForward = new BlockConfig.FeedForward(96, Activation.GELU, false);
        XlstmConfig blocks = new XlstmConfig(
                64,
                301,
                List.of(
                        new BlockConfig.Mlstm(2, 128, 4, 4, false),
                        new BlockConfig.Slstm(2, 64, 4, true, feedForward),
                        new BlockConfig.Slstm(1, 64, 0, true, feedForward)),
                XlstmConfig.NormKind.LAYER,
                1e-5f,
                true,
                false,
                0,
                64);
        for (XlstmConfig config : List.of(RandomWeights.shape("demo"), blocks)) {
            try (Arena arena = Arena.ofShared()) {
                XlstmWeights weights = RandomWeights.create(config, format, arena);
                try (LoadedModel model = new CpuBackend().load(weights, 2);
                        LoadedModel other = new CpuBackend().load(weights, 2);
                        Session verifying = new Session(model);
                        Session feeding = new Session(other)) {
                    compare(verifying, feeding, new Random(2));
                }
            }
        }
    }

    /** Rounds of verify and keep on one session, and of feeding the same ids one by one to another. */
    private static void compare(Session verifying, Session feeding, Random random) {
        int vocab = verifying.model.config().vocabSize();
        for (int round = 0; round < 12; round++) {
            int k = round < 8 ? round + 1 : 1 + random.nextInt(verifying.maxVerifiedIds());
            int[] ids = random.ints(k, 0, vocab).toArray();
            byte[] before = round % 3 == 0 ? state(verifying) : null;
            assertThat(verifying.verify(ids, 0, k)).isEqualTo(k);
            if (before != null && round > 0) {
                assertThat(state(verifying)).as("verify leaves the state").isEqualTo(before);
            }
            int j = random.nextInt(k + 1);
            try (Session all = feeding.fork()) { // the logits of rows that are not kept, too
                for (int row = 0; row < k; row++) {
                    all.feed(ids[row]);
                    assertThat(verifying.verifiedLogits(row))
                            .as("row %d of %d", row, k)
                            .isEqualTo(all.logits());
                }
            }
            verifying.keep(j);
            for (int row = 0; row < j; row++) {
                feeding.feed(ids[row]);
                feeding.logits();
            }
            assertThat(verifying.position()).isEqualTo(feeding.position());
            assertThat(state(verifying)).as("state after %d of %d", j, k).isEqualTo(state(feeding));
            if (feeding.position() > 0) {
                assertThat(verifying.logits()).isEqualTo(feeding.logits());
            }
            if (round % 4 == 3) { // an ordinary step in between
                verifying.feed(ids[0]);
                feeding.feed(ids[0]);
                assertThat(verifying.logits()).isEqualTo(feeding.logits());
            }
        }
    }

    private static byte[] state(Session session) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment canonical = arena.allocate(session.state.byteSize(), 4);
            session.state.write(canonical);
            return canonical.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private interface Body {
        void run(LoadedModel model, int[] prompt) throws Exception;
    }

    private static void withModel(Body body) throws Exception {
        try (GoldenFixture golden = new GoldenFixture("blocks-step-long");
                ModelDirectory directory = ModelDirectory.open(golden.directory);
                LoadedModel model = new CpuBackend().load(directory.weights(), 2)) {
            body.run(model, Arrays.copyOf(golden.ids("prompt_ids"), 20));
        }
    }

    @Test
    void aSessionWithoutKeepGoesOnAsIfNothingWasVerified() throws Exception {
        withModel((model, prompt) -> {
            try (Session one = new Session(model);
                    Session other = new Session(model)) {
                one.feed(prompt);
                other.feed(prompt);
                float[] logits = one.logits().clone();
                one.verify(new int[] {1, 2, 3}, 0, 3);
                assertThat(one.logits()).isEqualTo(logits);
                one.feed(7);
                other.logits();
                other.feed(7);
                assertThat(one.logits()).isEqualTo(other.logits());
                assertThat(state(one)).isEqualTo(state(other));
            }
        });
    }

    @Test
    void forksAndCopiesForgetWhatWasVerified() throws Exception {
        withModel((model, prompt) -> {
            try (Session one = new Session(model)) {
                one.feed(prompt);
                one.verify(new int[] {1, 2, 3}, 0, 3);
                try (Session fork = one.fork()) {
                    assertThatThrownBy(() -> fork.keep(1)).isInstanceOf(IllegalStateException.class);
                    assertThat(fork.logits()).isEqualTo(one.logits());
                    one.keep(2); // the fork has computed nothing
                    assertThat(one.position()).isEqualTo(prompt.length + 2);
                    fork.copyFrom(one);
                    fork.feed(5);
                    one.feed(5);
                    assertThat(fork.logits()).isEqualTo(one.logits());
                }
            }
        });
    }

    @Test
    void anotherPassOfTheModelEndsWhatCanBeKept() throws Exception {
        withModel((model, prompt) -> {
            try (Session one = new Session(model);
                    Session other = new Session(model)) {
                one.feed(prompt);
                one.verify(new int[] {1, 2, 3}, 0, 3);
                other.feed(1);
                other.logits();
                assertThatThrownBy(() -> one.keep(1)).hasMessageContaining("did not verify rows of this state");
                assertThat(one.position()).isEqualTo(prompt.length);
                other.verify(new int[] {1, 2}, 0, 2);
                other.keep(1);
                assertThatThrownBy(() -> other.keep(1)).isInstanceOf(IllegalStateException.class);
            }
        });
    }

    @Test
    void idsOutsideTheVocabularyAndTooManyAreRefused() throws Exception {
        withModel((model, prompt) -> {
            try (Session session = new Session(model)) {
                session.feed(prompt);
                int[] many = new int[session.maxVerifiedIds() + 1];
                session.logits();
                byte[] before = state(session);
                assertThatThrownBy(() -> session.verify(many, 0, many.length))
                        .hasMessageContaining("it takes 1 to " + session.maxVerifiedIds());
                assertThat(state(session)).isEqualTo(before);
            }
            try (Session session = new Session(model)) {
                session.feed(prompt);
                assertThatThrownBy(() ->
                                session.verify(new int[] {1, model.config().vocabSize()}, 0, 2))
                        .hasMessageContaining("outside the model's vocabulary");
                assertThat(session.logits()).hasSize(model.config().vocabSize());
            }
        });
    }
}
