package dev.xlstm.chat;

import dev.xlstm.chat.Conversation.Storage;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Conversations that begin after a text read before, of which only the memory is known. */
class ConversationAfterStateTest {

    private static final String NOTES = "The cat is called Mia. She is";
    private static final GenerationListener SILENT = new GenerationListener() {};
    private static final GenerationOptions SHORT = GenerationOptions.defaults()
            .withMaxTokens(6)
            .withSampling(SamplingOptions.defaults().withSeed(3));

    private static TextModel model;

    @TempDir
    private Path directory;

    @BeforeAll
    static void open() throws IOException {
        model = TextModel.open(Path.of("..", "test-data", "demo-model"));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private Conversation conversation(ChatTemplate template, String system) throws IOException {
        try (TextSession notes = model.newSession()) {
            notes.feed(NOTES);
            // as a text that was cut: something is held back, which belongs to no answer
            notes.generatePart(SHORT.withStop(List.of("never to be seen")), SILENT);
            return new Conversation(
                    model, template, notes, "notes.state", system, new Storage(1 << 20, directory, 1 << 30));
        }
    }

    private static float[] logits(Conversation conversation) {
        try (TextSession memory = conversation.memory(conversation.head())) {
            return memory.session().logits().clone();
        }
    }

    @Test
    void undoAndResetGoBackToTheStateAndNotBehindIt() throws IOException {
        try (Conversation conversation = conversation(ChatTemplate.of(model), "Be kind.")) {
            long read = conversation.head().position();
            assertThat(read).isGreaterThan(5);
            float[] after = logits(conversation);
            conversation.say("Hello!", SHORT, SILENT);
            assertThat(conversation.undo(9)).hasSize(1);
            assertThat(conversation.head().position()).isEqualTo(read);
            assertThat(logits(conversation)).containsExactly(after);
            conversation.say("Hello!", SHORT, SILENT);
            assertThat(conversation.restart("Be rude.")).isEqualTo("main.1");
            assertThat(conversation.head().system()).isEqualTo("Be rude.");
            assertThat(conversation.head().position()).isEqualTo(read);
            assertThat(logits(conversation)).containsExactly(after);
            assertThat(conversation.undo(1)).isEmpty();
            assertThat(TreeDrawing.of(conversation, 0)).startsWith("[state notes.state]\n├─ (start) system: Be kind.");
        }
    }

    @Test
    void whatIsFedIsTheRenderingWithoutASecondBeginningOfText() throws IOException {
        try (Conversation conversation = conversation(ChatTemplate.of(model), "Be kind.")) {
            StringBuilder heard = new StringBuilder();
            Turn turn = conversation.say("Hello!", SHORT, new GenerationListener() {
                @Override
                public void text(String piece) {
                    heard.append(piece);
                }
            });
            assertThat(model.tokenizer().orElseThrow().decode(turn.prompt().ids()))
                    .isEqualTo("<|system|>Be kind.<|end|><|user|>Hello!<|end|><|assistant|>");
            assertThat(heard.toString()).isEqualTo(turn.answer().text());
            Turn second = conversation.say("And now?", SHORT, SILENT);
            assertThat(model.tokenizer().orElseThrow().decode(second.prompt().ids()))
                    .endsWith("<|user|>And now?<|end|><|assistant|>");
        }
    }

    @Test
    void aPlainConversationBeginsAfterABlankLine() throws IOException {
        try (Conversation conversation = conversation(new ChatTemplate(null, Map.of()), null)) {
            assertThat(conversation.say("Hello!", SHORT, SILENT).prompt().text())
                    .isEqualTo("\n\nUser: Hello!\nAssistant:");
            assertThat(conversation.say("Why?", SHORT, SILENT).prompt().text()).isEqualTo("\nUser: Why?\nAssistant:");
        }
    }

    @Test
    void aSavedConversationHasTheStateWithIt() throws IOException {
        float[] after;
        Turn turn;
        try (Conversation conversation = conversation(ChatTemplate.of(model), null)) {
            turn = conversation.say("Hello!", SHORT, SILENT);
            after = logits(conversation);
            ConversationFile.save(conversation, directory);
        }
        ChatTemplate template = ChatTemplate.of(model);
        // not even the memory after the turn: it is made again from the state
        Files.delete(directory.resolve("turn-" + turn.id() + ".safetensors"));
        try (Conversation resumed = ConversationFile.open(directory).resume(model, template, 0, 0)) {
            assertThat(resumed.head().position()).isEqualTo(turn.position());
            assertThat(logits(resumed)).containsExactly(after);
            assertThat(Transcript.markdown(resumed.head())).startsWith("*[after the state notes.state, ");
            assertThat(Transcript.json(resumed.head())).contains("\"name\" : \"notes.state\"");
        }
        try (var files = Files.list(directory)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
                Files.delete(file);
            }
        }
        try (Conversation resumed = ConversationFile.open(directory).resume(model, template, 0, 0)) {
            assertThatThrownBy(() -> resumed.say("Well?", SHORT, SILENT))
                    .isInstanceOf(ChatException.class)
                    .hasMessageContaining(
                            "the state 'notes.state', after which this conversation began, is damaged or gone");
        }
    }
}
