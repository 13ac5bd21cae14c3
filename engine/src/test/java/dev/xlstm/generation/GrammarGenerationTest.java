package dev.xlstm.generation;

import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.grammar.GrammarMask;
import dev.xlstm.grammar.SchemaValidator;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.sampling.SamplingParameter.MIROSTAT_ETA;
import static dev.xlstm.sampling.SamplingParameter.MIROSTAT_TAU;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.XTC_PROBABILITY;
import static dev.xlstm.sampling.SamplingParameter.XTC_THRESHOLD;
import static org.assertj.core.api.Assertions.assertThat;

/** Texts of the demo model, which has never seen JSON, kept in grammars. */
class GrammarGenerationTest {

    /** With the 14 schemas, 504 texts. */
    private static final int SAMPLES = 36;

    private static TextModel model;
    private static TextSession begun;

    @BeforeAll
    static void open() throws IOException {
        model = TextModel.open(Path.of("../test-data/demo-model"));
        begun = model.newSession();
        begun.feed("Once upon a time");
    }

    @AfterAll
    static void close() {
        begun.close();
        model.close();
    }

    static Stream<Path> schemas() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/test/resources/schemas"))) {
            return files.sorted().toList().stream();
        }
    }

    private static Completion generate(GenerationOptions options) {
        try (TextSession session = begun.fork()) {
            return session.generate(options);
        }
    }

    private static GenerationOptions within(CompiledGrammar grammar, int maxTokens, SamplingOptions sampling) {
        return GenerationOptions.defaults()
                .withGrammar(grammar)
                .withMaxTokens(maxTokens)
                .withSampling(sampling);
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void everyTextIsValidAndWithinItsLength(Path file) throws IOException {
        String schema = Files.readString(file);
        CompiledGrammar grammar = model.compile(Grammar.ofJsonSchema(schema), Set.of());
        int least = new GrammarMask(grammar, new int[0], 1000).tokensToEnd();
        for (int i = 0; i < SAMPLES; i++) {
            int maxTokens = least + i; // at first none to spare
            float temperature = i % 6 * 0.4f; // greedy, and up to 2
            SamplingOptions sampling =
                    SamplingOptions.defaults().with(TEMPERATURE, temperature).withSeed(i);
            Completion completion = generate(within(grammar, maxTokens, sampling));
            assertThat(completion.ids().length).isLessThanOrEqualTo(maxTokens);
            assertThat(completion.outcome().finishReason())
                    .as(completion.text())
                    .isEqualTo(FinishReason.STOP);
            assertThat(completion.outcome().grammarComplete()).isTrue();
            assertThat(JsonMapper.shared().readTree(completion.text())).isNotNull();
            assertThat(SchemaValidator.complaints(schema, completion.text()))
                    .as(completion.text())
                    .isEmpty();
        }
    }

    @Test
    void aBudgetThatIsTooSmallIsUsedUpAndSaidSo() {
        CompiledGrammar grammar = model.compile(Grammar.parse("root ::= \"0123456789\"{9}"), Set.of());
        Completion completion = generate(within(grammar, 5, SamplingOptions.greedy()));
        assertThat(completion.ids()).hasSize(5);
        assertThat(completion.text()).startsWith("01234").hasSizeLessThan(90);
        assertThat(completion.outcome().finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(completion.outcome().grammarComplete()).isFalse();
    }

    @Test
    void eachGenerationBeginsTheGrammarAnew() {
        CompiledGrammar grammar = model.compile(Grammar.parse("root ::= \" yes\" | \" no\""), Set.of());
        try (TextSession session = begun.fork()) {
            for (int i = 0; i < 3; i++) {
                assertThat(session.generate(within(grammar, 9, SamplingOptions.defaults()))
                                .text())
                        .isIn(" yes", " no");
            }
        }
    }

    @Test
    void stopStringsAndStopIdsEndTheTextEarlier() {
        CompiledGrammar letters = model.compile(Grammar.parse("root ::= [a-z ]{200}"), Set.of());
        Completion stopped =
                generate(within(letters, 300, SamplingOptions.greedy()).withStop(List.of("a", "e", " ")));
        assertThat(stopped.outcome().finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(stopped.outcome().grammarComplete()).isFalse();
        assertThat(stopped.text()).doesNotContain("a", "e", " ");
    }

    @Test
    void theEndOfTheModelIsAllowedBehindWholeTextsOnly() {
        CompiledGrammar words = model.compile(Grammar.parse("root ::= ([a-z ]+ \".\")+"), Set.of());
        for (int seed = 0; seed < 20; seed++) {
            SamplingOptions sampling =
                    SamplingOptions.defaults().with(TEMPERATURE, 1.5f).withSeed(seed);
            Completion completion = generate(within(words, 40, sampling));
            assertThat(completion.text()).matches("([a-z ]+\\.)+");
            Completion onAndOn = generate(within(words, 40, sampling).withIgnoreEos(true));
            assertThat(onAndOn.ids()).hasSizeBetween(35, 40);
            assertThat(onAndOn.text()).matches("([a-z ]+\\.)+");
        }
    }

    @Test
    void mirostatAndXtcStayWithinTheGrammar() {
        CompiledGrammar number = model.compile(Grammar.parse("root ::= [0-9]{3} \"-\" [0-9]{3}"), Set.of());
        for (int seed = 0; seed < 20; seed++) {
            SamplingOptions sampling = SamplingOptions.defaults().withSeed(seed);
            assertThat(generate(within(
                                    number, 40, sampling.with(MIROSTAT_TAU, 3).with(MIROSTAT_ETA, 0.2f)))
                            .text())
                    .matches("\\d{3}-\\d{3}");
            assertThat(generate(within(
                                    number,
                                    40,
                                    sampling.with(XTC_PROBABILITY, 1).with(XTC_THRESHOLD, 0.01f)))
                            .text())
                    .matches("\\d{3}-\\d{3}");
        }
    }
}
