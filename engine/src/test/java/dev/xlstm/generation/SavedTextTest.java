package dev.xlstm.generation;

import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.SpecialTokens;
import dev.xlstm.safetensors.DType;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.xlstm.sampling.SamplingParameter.DRY_ALLOWED_LENGTH;
import static dev.xlstm.sampling.SamplingParameter.DRY_BASE;
import static dev.xlstm.sampling.SamplingParameter.DRY_LAST_N;
import static dev.xlstm.sampling.SamplingParameter.DRY_MULTIPLIER;
import static dev.xlstm.sampling.SamplingParameter.FREQUENCY_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.REPEAT_LAST_N;
import static dev.xlstm.sampling.SamplingParameter.REPETITION_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_K;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Texts cut anywhere and resumed from a file. The model's weights are random and its tokens are bytes, so most of its text
 * is half of a character at any moment.
 */
class SavedTextTest {

    private static final SamplingOptions SAMPLING = SamplingOptions.defaults()
            .with(TEMPERATURE, 1)
            .with(TOP_K, 0)
            .with(REPETITION_PENALTY, 1.3f)
            .with(FREQUENCY_PENALTY, 0.2f)
            .with(REPEAT_LAST_N, 20)
            .with(DRY_MULTIPLIER, 0.8f)
            .with(DRY_BASE, 1.75f)
            .with(DRY_ALLOWED_LENGTH, 1)
            .with(DRY_LAST_N, 50)
            .withDryBreakers(Set.of(10, 34, 200))
            .withLogitBias(Map.of(195, 6f, 164, 6f, 101, 5f, 32, 5f))
            .withSeed(11);

    @TempDir
    Path directory;

    private TextModel model;
    private Path file;

    @BeforeEach
    void open() throws Exception {
        Path fixture = Path.of("../test-data/fixtures/tiny-tied");
        ModelDirectory files = ModelDirectory.open(fixture);
        LoadedModel loaded = new CpuBackend().load(files.weights(), 1);
        SpecialTokens special = new SpecialTokens(OptionalInt.of(ScriptedModel.BOS), true, Set.of(ScriptedModel.EOS));
        model = new TextModel(files, loaded, ScriptedModel.tokenizer(directory), special);
        file = directory.resolve("text.state");
    }

    @AfterEach
    void close() {
        model.close();
    }

    private static GenerationOptions options(int maxTokens, String... stops) {
        return GenerationOptions.defaults()
                .withSampling(SAMPLING)
                .withMaxTokens(maxTokens)
                .withStop(List.of(stops))
                .withIgnoreEos(true);
    }

    /** Saves a text, forgets it, and reads it again. */
    private TextSession reopened(TextSession session) throws IOException {
        session.save(file, DType.F32);
        session.close();
        return model.resume(file);
    }

    @Test
    void aTextCutAnywhereIsTheTextUncut() throws Exception {
        Random random = new Random(3);
        int halfCharacters = 0;
        int heldStops = 0;
        for (int round = 0; round < 40; round++) {
            int before = random.nextInt(40);
            int after = 1 + random.nextInt(40);
            String[] stops =
                    round % 2 == 0 ? new String[0] : new String[] {"äq", "\uFFFD\uFFFD\uFFFD\uFFFDe", "e\uFFFDä"};
            CollectingListener uncut = new CollectingListener();
            Outcome whole;
            try (TextSession session = model.newSession()) {
                session.feed("Größe " + round);
                whole = session.generate(options(before + after, stops), uncut);
            }
            CollectingListener parts = new CollectingListener();
            TextSession session = model.newSession();
            session.feed("Größe " + round);
            session = reopened(session);
            Outcome end = session.generatePart(options(before, stops), parts);
            if (end.finishReason() == FinishReason.LENGTH) {
                session.save(file, DType.F32);
                SavedText saved = SavedText.of(
                        dev.xlstm.session.StateFile.read(file, model.loaded(), model.fingerprint())
                                .extra(),
                        model.loaded().config().vocabSize());
                halfCharacters += saved.pending().length > 0 ? 1 : 0;
                heldStops += saved.held().chars().isEmpty() ? 0 : 1;
                session.close();
                session = model.resume(file);
                assertThat(session.seed()).hasValue(SAMPLING.seed());
                end = session.generate(options(after, stops), parts);
            }
            session.close();
            assertThat(parts.ids()).as("round " + round).isEqualTo(uncut.ids());
            assertThat(parts.text()).isEqualTo(uncut.text());
            assertThat(end.finishReason()).isEqualTo(whole.finishReason());
            assertThat(end.stop()).isEqualTo(whole.stop());
        }
        assertThat(halfCharacters)
                .as("the test has seen cuts within a character")
                .isPositive();
        assertThat(heldStops).as("and within a stop string").isPositive();
    }

    @Test
    void aPromptAfterAResumptionIsAPromptInOnePiece() throws Exception {
        int[] ids = new Random(5).ints(700, 0, 256).toArray();
        Completion whole;
        try (TextSession session = model.newSession()) {
            session.feed(ids);
            whole = session.generate(options(30));
        }
        TextSession session = model.newSession();
        session.feed(Arrays.copyOf(ids, 333));
        session = reopened(session);
        session.feed(Arrays.copyOfRange(ids, 333, 700));
        session = reopened(session);
        Completion resumed = session.generate(options(30));
        assertThat(resumed.ids()).isEqualTo(whole.ids());
        assertThat(resumed.text()).isEqualTo(whole.text());
        session.close();
    }

    @Test
    void otherSamplingOptionsBeginAtTheirSeed() throws Exception {
        TextSession session = model.newSession();
        session.feed("abc");
        session.generate(options(10));
        session = reopened(session);
        try (TextSession fork = session.fork()) {
            SamplingOptions other = SAMPLING.with(TEMPERATURE, 1.5f);
            int[] expected;
            try (TextSession never = model.newSession()) {
                never.feed("abc");
                never.generate(options(10));
                expected = never.generate(options(10).withSampling(other)).ids();
            }
            assertThat(fork.generate(options(10).withSampling(other)).ids()).isEqualTo(expected);
        }
        session.close();
    }

    /** Draws still go on when a resumed text is saved again before anything happened. */
    @Test
    void aStateSavedTwiceIsTheSame() throws Exception {
        TextSession session = model.newSession();
        session.feed("abc");
        session.generatePart(options(10), new CollectingListener());
        int[] expected;
        try (TextSession fork = session.fork()) {
            expected = fork.generate(options(10)).ids();
        }
        session = reopened(reopened(session));
        assertThat(session.generate(options(10)).ids()).isEqualTo(expected);
        session.close();
    }

    @Test
    void textHeldBackComesOutBeforeAPrompt() throws Exception {
        List<String> pieces = new ArrayList<>();
        GenerationListener listener = new GenerationListener() {
            @Override
            public void text(String piece) {
                pieces.add(piece);
            }
        };
        try (TextModel scripted = ScriptedModel.text(directory, false, ScriptedModel.bytes("onetwo"));
                TextSession session = scripted.newSession()) {
            session.feed('x');
            GenerationOptions greedy = GenerationOptions.defaults()
                    .withSampling(SamplingOptions.greedy())
                    .withMaxTokens(3)
                    .withStop(List.of("net"));
            session.generatePart(greedy, listener);
            assertThat(pieces).containsExactly("o");
            session.feed(new int[] {'y'}, listener);
            assertThat(pieces).containsExactly("o", "ne");
        }
    }

    /** Characters, words and the beginning of text may be cut anywhere. */
    @Test
    void textThatArrivesInPiecesIsTheTextAtOnce() throws Exception {
        String text = "Once upon a time, übergroß 🐶 — <s> x\n\n".repeat(40);
        Random random = new Random(9);
        for (String prompt : List.of("", "<", "<s>", "<s>abc", text, "<s>" + text)) {
            try (TextSession whole = model.newSession();
                    TextSession pieces = model.newSession()) {
                whole.feed(prompt);
                assertThat(pieces.feed(dripping(prompt, random), new GenerationListener() {}))
                        .isTrue();
                assertThat(pieces.position()).isEqualTo(whole.position());
                assertThat(pieces.session().logits()).isEqualTo(whole.session().logits());
            }
        }
    }

    private static Reader dripping(String text, Random random) {
        return new Reader() {
            private final StringReader in = new StringReader(text);

            @Override
            public int read(char[] chars, int offset, int length) throws IOException {
                return in.read(chars, offset, 1 + random.nextInt(Math.min(5, length)));
            }

            @Override
            public void close() {}
        };
    }

    @Test
    void readingEndsWhenCancelled() throws Exception {
        Reader endless = new Reader() {
            @Override
            public int read(char[] chars, int offset, int length) {
                Arrays.fill(chars, offset, offset + length, 'a');
                return length;
            }

            @Override
            public void close() {}
        };
        try (TextSession session = model.newSession()) {
            boolean whole = session.feed(endless, new GenerationListener() {
                @Override
                public boolean cancelled() {
                    return session.position() > 2000;
                }
            });
            assertThat(whole).isFalse();
            assertThat(session.position()).isBetween(2000L, 3000L);
        }
    }
}
