package dev.xlstm.cli.chat;

import dev.xlstm.cli.PseudoTerminal;
import dev.xlstm.cli.console.Streams;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.PseudoTerminal.CTRL_C;
import static org.assertj.core.api.Assertions.assertThat;

/** What a chat looks like on terminals of all kinds. */
class ChatScreenIT extends ChatOnTerminal {

    private static final String ESCAPES = "\u001b\\[[?>=]?[\\d;]*[a-zA-Z]|\u001b[>=]";

    @Test
    void theTerminalWrapsAnswers() throws Exception {
        Path saved = home.resolve("talk.json");
        try (PseudoTerminal terminal = chat(40, 50, Map.of(), "-t", "0", "-n", "60")) {
            terminal.awaitPrompt(">");
            terminal.enter("Tell me a story.");
            terminal.await("answer", shown -> shown.contains("tokens/s") && shown.endsWith("\n>"));
            String received = terminal.received();
            terminal.enter("/save " + saved);
            terminal.await("\nwrote");
            JsonNode messages = JsonMapper.shared().readTree(saved.toFile()).path("messages");
            String answer = messages.path(1).path("content").asString().strip();
            assertThat(answer).hasSizeGreaterThan(80);
            assertThat(received.replace("\r\n", "\n").replaceAll(ESCAPES, ""))
                    .as("copied text has no line feeds but the model's")
                    .contains(answer + "\n");
        }
    }

    /** The answer is one of many words in no order, so that it is long enough. */
    @Test
    void aResizeWhileAnAnswerIsWritten() throws Exception {
        Path saved = home.resolve("talk.json");
        try (PseudoTerminal terminal =
                chat(60, 200, Map.of(), "-t", "2", "--top-k", "0", "--top-p", "1", "--min-p", "0", "-n", "-1")) {
            terminal.awaitPrompt(">");
            String text = "";
            for (int attempt = 0; !text.contains("stopped; /undo"); attempt++) {
                assertThat(attempt)
                        .as("answers that ended before they were long")
                        .isLessThan(10);
                terminal.resize(60, 200);
                terminal.enter("Tell me a story.");
                int begin = terminal.received().length();
                awaitMore(terminal, begin, begin + 300);
                terminal.resize(24, 200);
                awaitMore(terminal, begin, terminal.received().length() + 300);
                terminal.resize(100, 200);
                awaitMore(terminal, begin, terminal.received().length() + 500);
                terminal.type(String.valueOf(CTRL_C));
                terminal.await("end", shown -> shown.endsWith("\n>"));
                text = terminal.received().substring(begin);
            }
            terminal.enter("/save " + saved);
            terminal.await("wrote ");
            JsonNode messages = JsonMapper.shared().readTree(saved.toFile()).path("messages");
            String answer = messages.path(messages.size() - 1).path("content").asString();
            assertThat(words(text)).as("no word is lost or garbled").contains(words(Streams.visible(answer)));
        }
    }

    private static String words(String text) {
        return text.replaceAll(ESCAPES, "").replaceAll("\\s+", "");
    }

    /** Until so much has been received in all, or the answer that began at a place has ended. */
    private static void awaitMore(PseudoTerminal terminal, int begin, int length) throws InterruptedException {
        terminal.await("more text", shown -> {
            String all = terminal.received();
            return all.length() >= length || all.indexOf("tokens in memory", begin) >= 0;
        });
    }

    @Test
    void aNarrowTerminal() throws Exception {
        try (PseudoTerminal terminal = chat(20, 60, Map.of(), "-t", "0", "-n", "30")) {
            terminal.await("chat", shown -> shown.endsWith("\n>"));
            terminal.enter("Who are you?");
            String shown = terminal.await("status", screen -> screen.contains("main") && screen.endsWith("\n>"));
            assertThat(shown).contains("demo-model · /help\nshows the commands\n> Who are you?\n");
            String answer = shown.substring(shown.indexOf("Who are you?"));
            assertThat(answer.lines()).hasSizeGreaterThan(4).allMatch(line -> line.length() <= 20);
            assertThat(answer).containsPattern("(?s)[\\d.]+ tokens/s · \\d+\ntokens in memory ·\nmain");
            terminal.enter("/nonsense");
            terminal.await("no command\n/nonsense; /help\nlists them (a blank\nbefore / sends it\nas text)");
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
        }
    }

    @Test
    void wideCharactersAndEmojiTakeTheirColumns() throws Exception {
        try (PseudoTerminal terminal = chat(30, 40, Map.of(), "-t", "0", "-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("日本語 😀 äöü");
            terminal.await("memory · main");
            terminal.awaitPrompt(">");
            terminal.enter("/edit-last");
            terminal.await("draft", shown -> words(shown).endsWith(">日本語😀äöü"));
            terminal.enter("日本語日本語日本語日本語日本語");
            terminal.await("answer", shown -> shown.split("memory · main").length == 3 && shown.endsWith("\n>"));
            terminal.enter("/show");
            terminal.await(
                    "transcript", shown -> words(shown).contains("**User:**日本語😀äöü日本語日本語日本語日本語日本語**Assistant:**"));
        }
    }

    @Test
    void aPasteWhileTheModelWritesIsOneTextAfterwards() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "0", "-n", "200")) {
            terminal.awaitPrompt(">");
            terminal.enter("Tell me a story.");
            terminal.type("\u001b[200~one\ntwo\u001b[201~");
            terminal.await("tokens in memory");
            terminal.await("paste", shown -> shown.endsWith("> one\n. two"));
            // the terminal had been told to mark pastes before the model began
            String received = terminal.received();
            int asked = received.indexOf("Tell me a story.");
            String meanwhile = received.substring(asked, received.indexOf("tokens/s", asked));
            assertThat(meanwhile.lastIndexOf("\u001b[?2004h")).isGreaterThan(meanwhile.lastIndexOf("\u001b[?2004l"));
            terminal.type("\u0003" + PseudoTerminal.CTRL_D);
            assertThat(terminal.exitCode()).isZero();
            assertThat(terminal.received().lastIndexOf("\u001b[?2004l"))
                    .isGreaterThan(terminal.received().lastIndexOf("\u001b[?2004h"));
        }
    }

    @Test
    void aPasteBeforeTheChatIsThereIsOneText() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "0", "-n", "3")) {
            terminal.await("marked pastes", shown -> terminal.received().contains("\u001b[?2004h"));
            terminal.type("\u001b[200~one\ntwo\u001b[201~");
            terminal.await("paste", shown -> shown.endsWith("> one\n. two"));
            terminal.enter("");
            terminal.await("tokens in memory");
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
        }
        try (PseudoTerminal terminal = chat("--nonsense")) {
            assertThat(terminal.exitCode()).isEqualTo(2);
            assertThat(terminal.received()).endsWith("\u001b[?2004l");
        }
    }

    @Test
    void aDumbTerminalAndNoColour() throws Exception {
        try (PseudoTerminal terminal = chat(30, 24, Map.of("TERM", "dumb"), "-t", "0")) {
            terminal.await(">");
            terminal.enter("Hello!");
            terminal.await("tokens/s");
            terminal.type(String.valueOf(PseudoTerminal.CTRL_D));
            assertThat(terminal.exitCode()).isZero();
            assertThat(terminal.received()).doesNotContain("\u001b[");
        }
        Map<String, String> dumb = Map.of("TERM", "dumb");
        try (PseudoTerminal terminal =
                chat(60, 200, dumb, "-t", "2", "--top-k", "0", "--top-p", "1", "--min-p", "0", "-n", "-1")) {
            terminal.await(">");
            terminal.enter("Tell me a story.");
            terminal.await("words", shown -> shown.lines().count() > 4);
            terminal.type(String.valueOf(CTRL_C));
            terminal.await("stopped; /undo");
            terminal.enter("quit");
            assertThat(terminal.exitCode()).isZero();
        }
        try (PseudoTerminal terminal = chat(80, 24, Map.of("NO_COLOR", "1"), "-t", "0")) {
            terminal.awaitPrompt(">");
            terminal.enter("Hello!");
            terminal.await("tokens/s");
            assertThat(terminal.received()).doesNotContainPattern("\u001b\\[[\\d;]*m");
        }
    }
}
