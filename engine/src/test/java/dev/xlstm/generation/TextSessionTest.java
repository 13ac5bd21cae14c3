package dev.xlstm.generation;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.xlstm.sampling.SamplingParameter.MIN_P;
import static dev.xlstm.sampling.SamplingParameter.PRESENCE_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.REPETITION_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_K;
import static dev.xlstm.sampling.SamplingParameter.TOP_P;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class TextSessionTest {

    private static final GenerationOptions GREEDY =
            GenerationOptions.defaults().withSampling(SamplingOptions.greedy()).withMaxTokens(20);

    @TempDir
    Path directory;

    private TextModel writes(String text) throws IOException {
        return ScriptedModel.text(directory, false, ScriptedModel.bytes(text));
    }

    private static TextSession after(TextModel model, int... prompt) {
        TextSession session = model.newSession();
        session.feed(prompt);
        return session;
    }

    @Test
    void endsAtTheLengthAndReportsIt() throws IOException {
        TextSession session = after(writes("abcdefghij"), 'x');
        Completion completion = session.generate(GREEDY.withMaxTokens(4));
        assertThat(completion.text()).isEqualTo("abcd");
        assertThat(completion.ids()).containsExactly('a', 'b', 'c', 'd');
        Outcome outcome = completion.outcome();
        assertThat(outcome.finishReason()).isEqualTo(FinishReason.LENGTH).hasToString("length");
        assertThat(outcome.promptTokens()).isEqualTo(1);
        assertThat(outcome.tokens()).isEqualTo(4);
        assertThat(outcome.prefillNanos()).isPositive();
        assertThat(outcome.decodeNanos()).isPositive();
        assertThat(outcome.decodeRate()).isEqualTo(3 / outcome.decodeSeconds());
        assertThat(session.position()).isEqualTo(5);
    }

    @Test
    void theNextGenerationGoesOnBehindTheLast() throws IOException {
        TextSession session = after(writes("abcdefghij"), 'x');
        session.generate(GREEDY.withMaxTokens(4));
        Completion completion = session.generate(GREEDY.withMaxTokens(2));
        assertThat(completion.text()).isEqualTo("ef");
        assertThat(completion.outcome().promptTokens()).isZero();
    }

    @Test
    void noTokensAreNoText() throws IOException {
        Completion completion = after(writes("abc"), 'x').generate(GREEDY.withMaxTokens(0));
        assertThat(completion.text()).isEmpty();
        assertThat(completion.ids()).isEmpty();
        assertThat(completion.outcome().finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(completion.outcome().decodeRate()).isZero();
    }

    @Test
    void aStopStringEndsTheTextBeforeIt() throws IOException {
        Completion completion = after(writes("one two three"), 'x').generate(GREEDY.withStop(List.of("zzz", " thr")));
        assertThat(completion.text()).isEqualTo("one two");
        assertThat(completion.ids()).containsExactly(ScriptedModel.bytes("one two thr"));
        assertThat(completion.outcome().finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(completion.outcome().stop()).isEqualTo(" thr");
    }

    @Test
    void heldTextIsGivenOutAtTheEnd() throws IOException {
        List<String> pieces = new ArrayList<>();
        Completion completion = after(writes("one two"), 'x')
                .generate(GREEDY.withMaxTokens(4).withStop(List.of("e tree")), pieces::add);
        assertThat(pieces).containsExactly("o", "n", "e ");
        assertThat(completion.text()).isEqualTo("one ");
        assertThat(completion.outcome().stop()).isNull();
    }

    @Test
    void endOfTextIsNotPartOfIt() throws IOException {
        TextModel model = ScriptedModel.text(directory, false, 'a', ScriptedModel.EOS, 'b', ScriptedModel.PADDING);
        Completion completion = after(model, 'x').generate(GREEDY);
        assertThat(completion.text()).isEqualTo("a");
        assertThat(completion.ids()).containsExactly('a');
        assertThat(completion.outcome().finishReason()).isEqualTo(FinishReason.EOS);

        Completion ignoring =
                after(model, 'x').generate(GREEDY.withIgnoreEos(true).withMaxTokens(5));
        assertThat(ignoring.ids()).containsExactly('a', ScriptedModel.EOS, 'b', ScriptedModel.PADDING, 'a');
        assertThat(ignoring.text())
                .as("neither special tokens nor rows without one")
                .isEqualTo("aba");
    }

    @Test
    void aStopIdEndsTheTextEvenIfEosIsIgnored() throws IOException {
        Completion completion = after(writes("abcd"), 'x')
                .generate(GREEDY.withStopIds(Set.of((int) 'c')).withIgnoreEos(true));
        assertThat(completion.text()).isEqualTo("ab");
        assertThat(completion.outcome().finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void charactersComeWhole() throws IOException {
        List<String> pieces = new ArrayList<>();
        Completion completion = after(writes("é🐶!"), 'x').generate(GREEDY.withMaxTokens(9), pieces::add);
        // the script begins again: é of two bytes, the first of é
        assertThat(pieces).containsExactly("é", "🐶", "!", "é");
        assertThat(completion.text()).isEqualTo("é🐶!é");
        List<String> cut = new ArrayList<>();
        after(writes("é🐶!"), 'x').generate(GREEDY.withMaxTokens(4), cut::add);
        assertThat(cut).as("half a dog").containsExactly("é", "\uFFFD");
    }

    @Test
    void aTokenCarriesTheTextItMakesCertain() throws IOException {
        List<String> events = new ArrayList<>();
        GenerationListener listener = new GenerationListener() {
            @Override
            public void token(int id, String piece, Supplier<float[]> logits) {
                events.add("token " + piece);
            }

            @Override
            public void text(String piece) {
                events.add("text " + piece);
            }
        };
        after(writes("éneq"), 'x').generate(GREEDY.withMaxTokens(4).withStop(List.of("neo")), listener);
        assertThat(events).containsExactly("token ", "token é", "token ", "token ", "text ne");
    }

    @Test
    void theListenerSeesTokensAndTheLogitsTheyCameFrom() throws IOException {
        List<String> events = new ArrayList<>();
        after(writes("ab"), 'x').generate(GREEDY.withMaxTokens(2), new GenerationListener() {
            @Override
            public void token(int id, String piece, Supplier<float[]> logits) {
                events.add(id + ":" + piece + ":" + logits.get()[id] + "/" + logits.get().length);
            }

            @Override
            public void text(String piece) {
                events.add(piece);
            }
        });
        assertThat(events).containsExactly("97:a:1.0/259", "98:b:1.0/259");
    }

    @Test
    void cancellingEndsDecoding() throws IOException {
        AtomicInteger tokens = new AtomicInteger();
        CollectingListener collected = new CollectingListener() {
            @Override
            public boolean cancelled() {
                return tokens.incrementAndGet() > 4; // asked once before the first logits
            }
        };
        TextSession session = after(writes("abcdefghij"), 'x');
        Outcome outcome = session.generate(GREEDY, collected);
        assertThat(outcome.finishReason()).isEqualTo(FinishReason.INTERRUPTED);
        assertThat(collected.text()).isEqualTo("abc");
        assertThat(outcome.tokens()).isEqualTo(3);
    }

    @Test
    void cancellingEndsPrefill() throws IOException {
        List<Integer> progress = new ArrayList<>();
        TextSession session = writes("abc").newSession();
        boolean all = session.feed(new int[1000], new GenerationListener() {
            @Override
            public void prefill(int done, int total) {
                progress.add(done);
                assertThat(total).isEqualTo(1000);
            }

            @Override
            public boolean cancelled() {
                return progress.size() == 2;
            }
        });
        assertThat(all).isFalse();
        assertThat(progress).hasSize(2).isSorted();
        assertThat(session.position()).isEqualTo(progress.getLast().longValue()).isLessThan(1000);
    }

    @Test
    void withoutATokenizerThereAreOnlyIds() {
        TextSession session = after(ScriptedModel.idsOnly(7, 8, 9), 1);
        Completion completion = session.generate(GREEDY.withMaxTokens(3));
        assertThat(completion.ids()).containsExactly(7, 8, 9);
        assertThat(completion.text()).isNull();
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() -> session.feed("text"))
                .withMessageContaining("has no tokenizer");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> session.feed(ScriptedModel.VOCAB))
                .withMessageContaining("outside the model's vocabulary");
    }

    @Test
    void textsBeginWithBosOnce() throws IOException {
        TextModel model = ScriptedModel.text(directory, true, 'a');
        assertThat(model.encodePrompt("hi")).containsExactly(ScriptedModel.BOS, 'h', 'i');
        assertThat(model.encodePrompt("<s>hi")).containsExactly(ScriptedModel.BOS, 'h', 'i');
        assertThat(model.encodePrompt("")).containsExactly(ScriptedModel.BOS);
        TextSession session = model.newSession();
        session.feed("hi");
        session.feed(" there"); // goes on: no second beginning
        assertThat(session.position()).isEqualTo(1 + "hi there".length());
        assertThat(writes("a").encodePrompt("hi")).containsExactly('h', 'i');
    }

    @Test
    void anEmptySessionBeginsWithBosOrNotAtAll() throws IOException {
        TextSession session = ScriptedModel.text(directory, true, 'a', 'b').newSession();
        assertThat(session.generate(GREEDY.withMaxTokens(2)).text()).isEqualTo("ab");
        TextSession without = writes("ab").newSession();
        assertThatExceptionOfType(BadRequestException.class)
                .isThrownBy(() -> without.generate(GREEDY))
                .withMessageContaining("no token that begins a text");
    }

    @Test
    void penaltiesCountThePromptAndWhatWasGenerated() throws IOException {
        GenerationOptions options = GREEDY.withSampling(
                        SamplingOptions.defaults().with(TEMPERATURE, 0).with(PRESENCE_PENALTY, 5))
                .withIgnoreEos(true);
        int[] ids = after(writes("aaaa"), 'a', 0, 1)
                .generate(options.withMaxTokens(3))
                .ids();
        assertThat(ids).containsExactly(2, 3, 4); // the lowest that are not in the prompt
    }

    private static GenerationOptions sampled(int tokens) {
        return GenerationOptions.defaults()
                .withSampling(SamplingOptions.defaults()
                        .with(TEMPERATURE, 2)
                        .with(TOP_K, 0)
                        .with(TOP_P, 1)
                        .with(MIN_P, 0)
                        .with(REPETITION_PENALTY, 1.2f)
                        .withSeed(3))
                .withIgnoreEos(true)
                .withMaxTokens(tokens);
    }

    @Test
    void inPartsAsInOne() throws IOException {
        int[] whole = after(writes("abc"), 'x').generate(sampled(20)).ids();
        TextSession session = after(writes("abc"), 'x');
        int[] first = session.generate(sampled(20).withMaxTokens(8)).ids();
        int[] second = session.generate(sampled(20).withMaxTokens(12)).ids();
        assertThat(IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray())
                .isEqualTo(whole);
    }

    @Test
    void aForkGoesOnAsTheOriginalWould() throws IOException {
        TextSession session = after(writes("abc"), 'x');
        session.generate(sampled(5));
        TextSession fork = session.fork();
        int[] ofFork = fork.generate(sampled(10)).ids();
        fork.feed(1, 2, 3); // no matter to the original
        assertThat(session.generate(sampled(10)).ids()).isEqualTo(ofFork);
        assertThat(session.position()).isEqualTo(fork.position() - 3);
    }

    @Test
    void aForkBeforeTheFirstGenerationRemembersThePrompt() throws IOException {
        TextSession fork = after(writes("abc"), 'x', 'y').fork();
        assertThat(fork.generate(sampled(10)).ids())
                .isEqualTo(after(writes("abc"), 'x', 'y').generate(sampled(10)).ids());
    }

    @Test
    void optionsOutOfRangeAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GREEDY.withMaxTokens(-2))
                .withMessage("max-tokens must be at least -1, not -2");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> GREEDY.withStop(List.of("a", "")))
                .withMessage("a stop string must not be empty");
    }
}
