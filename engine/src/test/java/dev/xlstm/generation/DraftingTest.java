package dev.xlstm.generation;

import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.safetensors.DType;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.session.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.xlstm.sampling.SamplingParameter.DRY_MULTIPLIER;
import static dev.xlstm.sampling.SamplingParameter.MIROSTAT_TAU;
import static dev.xlstm.sampling.SamplingParameter.REPETITION_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_P;
import static dev.xlstm.sampling.SamplingParameter.XTC_PROBABILITY;
import static org.assertj.core.api.Assertions.assertThat;

/** Texts with guesses are the texts without, to the last byte of a saved state. */
class DraftingTest {

    private static TextModel model;

    @TempDir
    Path directory;

    @BeforeAll
    static void open() throws Exception {
        model = TextModel.open(Path.of("../test-data/demo-model"));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    /** Guesses any number of ids, whether that pays or not. */
    private static final class AnyLength extends DraftLength {

        private final Random random;

        AnyLength(long seed) {
            random = new Random(seed);
        }

        @Override
        int choose(int available) {
            return random.nextInt(available + 1);
        }
    }

    /** Ids of a text that repeats with errors: some guesses are right, others wrong. */
    private static int[] repeating(Random random, int count, int vocab) {
        int[] phrase = random.ints(12, 0, vocab).toArray();
        int[] ids = new int[count];
        for (int i = 0; i < count; i++) {
            ids[i] = random.nextInt(8) == 0 ? random.nextInt(vocab) : phrase[i % phrase.length];
        }
        return ids;
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-f32", "blocks-step-long"})
    @DisplayName("logits read through guesses are those of feeding; finish leaves the session as feeding would")
    void logitsAndStateAreThoseOfFeeding(String fixture) throws Exception {
        try (GoldenFixture golden = new GoldenFixture(fixture);
                ModelDirectory files = ModelDirectory.open(golden.directory);
                LoadedModel one = new CpuBackend().load(files.weights(), 1);
                LoadedModel two = new CpuBackend().load(files.weights(), 1)) {
            long accepted = 0;
            for (int seed = 0; seed < 40; seed++) {
                Random random = new Random(seed);
                int[] ids =
                        repeating(random, 60 + random.nextInt(40), one.config().vocabSize());
                try (Session session = new Session(one);
                        Session expected = new Session(two)) {
                    session.feed(ids[0]);
                    expected.feed(ids[0]);
                    DraftedSession drafted = new DraftedSession(session, 7, new AnyLength(seed), new int[] {ids[0]});
                    for (int i = 1; i < ids.length; i++) {
                        assertThat(drafted.logits())
                                .as("seed %d, id %d", seed, i)
                                .isEqualTo(expected.logits());
                        drafted.feed(ids[i]);
                        expected.feed(ids[i]);
                    }
                    if (random.nextBoolean()) { // the logits after the last id have been read, or not
                        assertThat(drafted.logits()).isEqualTo(expected.logits());
                    }
                    drafted.finish();
                    assertThat(session.position()).isEqualTo(expected.position());
                    session.feed(3);
                    expected.feed(3);
                    assertThat(session.logits()).isEqualTo(expected.logits());
                    assertThat(drafted.accepted()).isLessThan(drafted.drafted());
                    accepted += drafted.accepted();
                }
            }
            assertThat(accepted).isGreaterThan(200);
        }
    }

    @Test
    @DisplayName(
            "200 seeded texts of all samplers, with stop strings and grammars, in parts: ids, text and saved state")
    void textsAndSavedStates() throws Exception {
        CompiledGrammar grammar = model.compile(Grammar.parse("root ::= ([a-z]+ \" \")* \"end\""), Set.of());
        List<SamplingOptions> samplers = List.of(
                SamplingOptions.greedy(),
                SamplingOptions.defaults().with(TEMPERATURE, 0.7f),
                SamplingOptions.defaults().with(TEMPERATURE, 0.5f).with(TOP_P, 0.9f),
                SamplingOptions.greedy().with(REPETITION_PENALTY, 1.1f),
                SamplingOptions.defaults().with(DRY_MULTIPLIER, 0.8f),
                SamplingOptions.defaults().with(MIROSTAT_TAU, 3f),
                SamplingOptions.defaults().with(XTC_PROBABILITY, 0.5f));
        String story = "The cat sat on the mat. The dog sat on the mat. The cat sat on the";
        for (int seed = 0; seed < 200; seed++) {
            GenerationOptions options = GenerationOptions.defaults()
                    .withSampling(samplers.get(seed % samplers.size()).withSeed(seed))
                    .withMaxTokens(6 + seed % 7)
                    .withStop(seed % 5 == 0 ? List.of("sat", ". T") : List.of())
                    .withGrammar(seed % 4 == 0 ? grammar : null);
            assertThat(run(options.withDraft(7), story, seed))
                    .as("seed %d", seed)
                    .isEqualTo(run(options, story, seed));
        }
    }

    /** Two parts of a text, with what was written, chosen and saved after each. */
    private List<Object> run(GenerationOptions options, String prompt, int seed) throws Exception {
        List<Object> written = new ArrayList<>();
        try (TextSession session = model.newSession()) {
            session.feed(prompt);
            for (int part = 0; part < 2; part++) {
                CollectingListener listener = new CollectingListener();
                Outcome outcome = session.generatePart(options, listener);
                Path file = directory.resolve("x.state");
                session.save(file, DType.F32);
                written.add(listener.text());
                written.add(listener.ids());
                written.add(outcome.finishReason());
                written.add(session.position());
                written.add(Files.readAllBytes(file));
                if (seed % 3 == 0) {
                    session.feed(" and then");
                }
            }
        }
        return written.stream()
                .map(value -> value instanceof byte[] bytes ? (Object) java.util.Arrays.hashCode(bytes) : value)
                .map(value -> value instanceof int[] ids ? java.util.Arrays.toString(ids) : value)
                .toList();
    }

    @Test
    void guessesFollowTheLongestRecentMatch() {
        PromptLookup lookup = new PromptLookup();
        int[] guesses = new int[8];
        for (int id : new int[] {1, 2, 3, 4, 5, 1, 2}) {
            lookup.add(id);
        }
        assertThat(lookup.guess(guesses, 1, 3)).isEqualTo(3);
        assertThat(guesses).startsWith(0, 3, 4, 5);
        lookup.add(9);
        assertThat(lookup.guess(guesses, 0, 3)).isZero();
        for (int id : new int[] {7, 2, 3, 4, 6, 5, 2, 3, 4}) { // 2 3 4 twice before: the later one counts
            lookup.add(id);
        }
        assertThat(lookup.guess(guesses, 0, 2)).isEqualTo(2);
        assertThat(guesses).startsWith(6, 5);
    }

    @Test
    void guessesFromALongTextAreWhatFollowedInIt() {
        PromptLookup lookup = new PromptLookup();
        Random random = new Random(1);
        List<Integer> text = new ArrayList<>();
        int[] guesses = new int[4];
        int right = 0;
        for (int i = 0; i < 200_000; i++) { // the ring and the tables are overwritten several times
            int id = i % 97 < 60 ? i % 97 % 50 : random.nextInt(50);
            text.add(id);
            lookup.add(id);
            int count = lookup.guess(guesses, 0, 4);
            if (count > 0 && i % 97 > 10 && i % 97 < 50) {
                right += guesses[0] == (i % 97 + 1) % 50 ? 1 : 0;
            }
        }
        assertThat(right).isGreaterThan(60_000);
    }

    @Test
    void theLengthFollowsTheGain() {
        DraftLength length = new DraftLength();
        assertThat(length.choose(7)).as("until a plain pass is measured").isZero();
        for (int[] pass : new int[][] {{0, 100}, {1, 105}, {3, 115}, {7, 140}}) {
            length.passed(pass[0], pass[1]);
        }
        for (int i = 0; i < 50; i++) {
            length.guessed(true);
        }
        assertThat(length.choose(7)).isEqualTo(7);
        assertThat(length.choose(4)).isEqualTo(3);
        int verified = 0;
        for (int i = 0; i < 50; i++) {
            length.guessed(false);
        }
        for (int i = 0; i < 640; i++) {
            verified += length.choose(7) > 0 ? 1 : 0;
        }
        assertThat(verified).as("paused, but tried again").isEqualTo(10);
    }
}
