package dev.xlstm.generation;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.grammar.SchemaValidator;
import dev.xlstm.safetensors.DType;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/** Texts of a grammar cut anywhere, kept in a file, and gone on with in the middle of the grammar. */
class GrammarResumeTest {

    private static final String NESTED = "root ::= item\nitem ::= \"(\" item* \")\" | [a-z] [a-z] \"-\" item";

    private static TextModel model;

    @TempDir
    Path directory;

    @BeforeAll
    static void open() throws IOException {
        model = TextModel.open(Path.of("../test-data/demo-model"));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static TextSession begun() {
        TextSession session = model.newSession();
        session.feed("Once upon a time");
        return session;
    }

    private static GenerationOptions options(CompiledGrammar grammar, int maxTokens, int seed) {
        return GenerationOptions.defaults()
                .withGrammar(grammar)
                .withMaxTokens(maxTokens)
                .withSampling(SamplingOptions.defaults().with(TEMPERATURE, 1.5f).withSeed(seed));
    }

    private TextSession reopened(TextSession session) throws IOException {
        Path file = directory.resolve("state");
        session.save(file, DType.F32);
        session.close();
        return model.resume(file);
    }

    private static List<Grammar> grammars() throws IOException {
        return List.of(
                Grammar.ofJsonSchema(Files.readString(Path.of("src/test/resources/schemas/invoice.json"))),
                Grammar.ofJsonSchema(Files.readString(Path.of("src/test/resources/schemas/tree.json"))),
                Grammar.parse(NESTED));
    }

    /** However often it is cut, a text is the one that was never cut. */
    @Test
    void partsAreTheWhole() throws IOException {
        Random random = new Random(1);
        int cuts = 0;
        for (int round = 0; round < 24; round++) {
            CompiledGrammar grammar = model.compile(grammars().get(round % 3), Set.of());
            int length = 20 + random.nextInt(40);
            CollectingListener uncut = new CollectingListener();
            Outcome whole;
            try (TextSession session = begun()) {
                whole = session.generatePart(options(grammar, length, round), uncut);
            }
            CollectingListener parts = new CollectingListener();
            TextSession session = begun();
            Outcome end = null;
            for (int left = length; left > 0 && (end == null || end.finishReason() == FinishReason.LENGTH); ) {
                int part = Math.min(left, 1 + random.nextInt(20));
                CompiledGrammar again = model.compile(grammars().get(round % 3), Set.of());
                end = session.generatePart(options(again, part, round), parts);
                session = reopened(session);
                left -= part;
                cuts++;
            }
            session.close();
            assertThat(parts.ids()).as("round " + round).isEqualTo(uncut.ids());
            assertThat(parts.text()).isEqualTo(uncut.text());
            assertThat(end.finishReason()).isEqualTo(whole.finishReason());
            assertThat(end.grammarComplete()).isEqualTo(whole.grammarComplete());
        }
        assertThat(cuts).isGreaterThan(60);
    }

    /** The last part ends the text within its own length, whatever the parts before were. */
    @Test
    void theLastPartEndsTheText() throws IOException {
        String schema = Files.readString(Path.of("src/test/resources/schemas/person.json"));
        CompiledGrammar grammar = model.compile(Grammar.ofJsonSchema(schema), Set.of());
        for (int cut = 1; cut < 12; cut++) {
            CollectingListener text = new CollectingListener();
            TextSession session = begun();
            Outcome first = session.generatePart(options(grammar, cut, cut), text);
            assertThat(first.grammarComplete()).isFalse();
            session = reopened(session);
            Outcome last = session.generate(options(grammar, 150, cut), text);
            session.close();
            assertThat(last.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(last.grammarComplete()).isTrue();
            assertThat(SchemaValidator.complaints(schema, text.text()))
                    .as(text.text())
                    .isEmpty();
        }
    }

    @Test
    void aPromptInBetweenBeginsTheGrammarAnew() throws IOException {
        CompiledGrammar grammar = model.compile(Grammar.parse("root ::= \"ab\" \"cd\""), Set.of());
        TextSession session = begun();
        session.generatePart(options(grammar, 1, 1), new CollectingListener());
        session = reopened(session);
        try (TextSession prompted = session.fork()) {
            prompted.feed(" and");
            assertThat(prompted.generate(options(grammar, 20, 1)).text()).isEqualTo("abcd");
        }
        assertThat(session.generate(options(grammar, 20, 1)).text())
                .isNotEqualTo("abcd")
                .endsWith("cd");
        session.close();
    }

    @Test
    void anotherGrammarIsRefusedAndNoneGoesOn() throws IOException {
        CompiledGrammar one = model.compile(Grammar.parse(NESTED), Set.of());
        CompiledGrammar other = model.compile(Grammar.parse("root ::= [0-9]+"), Set.of());
        TextSession session = begun();
        session.generatePart(options(one, 3, 1), new CollectingListener());
        try (TextSession resumed = reopened(session)) {
            assertThatExceptionOfType(BadRequestException.class)
                    .isThrownBy(() -> resumed.generate(options(other, 3, 1)))
                    .withMessageContaining("another grammar");
            assertThat(resumed.generate(options(null, 3, 1)).ids()).hasSize(3);
            assertThat(resumed.generate(options(other, 3, 1)).text()).matches("[0-9]+");
        }
    }
}
