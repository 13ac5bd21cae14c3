package dev.xlstm.cli.chat;

import dev.xlstm.chat.ConversationFile;
import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.PseudoTerminal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** Chats beside each other, and on disks that fail them: what was shown as done is not lost. */
class ChatFaultsIT extends ChatOnTerminal {

    private static void ask(PseudoTerminal terminal, String question) throws Exception {
        int before = answers(terminal);
        terminal.awaitPrompt(">");
        terminal.enter(question);
        terminal.await("answer to " + question, shown -> answers(terminal) > before && shown.endsWith("\n>"));
    }

    private static int answers(PseudoTerminal terminal) {
        return terminal.received().split("tokens in memory", -1).length - 1;
    }

    private List<Path> sessions() throws IOException {
        try (Stream<Path> found = Files.list(home.resolve("xlstm/sessions"))) {
            return found.toList();
        }
    }

    /** Runs a command on a terminal that is to fail in one line; returns it. */
    private String refused(String... arguments) throws Exception {
        String[] command =
                Stream.concat(Stream.of(LAUNCHER), Stream.of(arguments)).toArray(String[]::new);
        try (PseudoTerminal terminal =
                new PseudoTerminal(200, 24, Map.of("XDG_STATE_HOME", home.toString()), command)) {
            assertThat(terminal.exitCode()).isEqualTo(1);
            assertThat(terminal.screen()).hasLineCount(1);
            return terminal.screen();
        }
    }

    private int questions() throws Exception {
        JsonNode messages = JsonMapper.shared()
                .readTree(run("sessions", "export", "--json"))
                .get("messages");
        return (int) messages.valueStream()
                .filter(message -> message.get("role").asString().equals("user"))
                .count();
    }

    @Test
    void aSessionInUseIsNeitherContinuedNorDeletedButExported() throws Exception {
        try (PseudoTerminal first = chat("-n", "3")) {
            ask(first, "One.");
            String id = sessions().getFirst().getFileName().toString();
            String inUse = "xlstm: session " + id + " is in use by another chat";
            assertThat(refused("chat", "--continue")).isEqualTo(inUse);
            assertThat(refused("sessions", "delete", id)).isEqualTo(inUse);
            for (int turn = 2; turn <= 5; turn++) {
                first.enter("Number " + turn);
                assertThat(questions()).as("while it is answered").isBetween(turn - 1, turn);
                int shown = turn;
                first.await("answer " + turn, screen -> answers(first) >= shown && screen.endsWith("\n>"));
                assertThat(questions()).isEqualTo(turn);
            }
            assertThat(run("sessions", "list")).contains("tokens").doesNotContain("damaged");
            first.enter("/exit");
            assertThat(first.exitCode()).isZero();
            run("sessions", "delete", id);
        }
        assertThat(sessions()).isEmpty();
        assertThat(refused("chat", "--continue")).isEqualTo("xlstm: no saved session to continue");
    }

    @Test
    void chatsThatBeginTogetherDoNotMeet() throws Exception {
        try (PseudoTerminal one = chat("-n", "3");
                PseudoTerminal two = chat("-n", "3")) {
            ask(one, "One.");
            ask(two, "Two.");
            for (PseudoTerminal chat : List.of(two, one)) {
                chat.enter("/exit");
                assertThat(chat.exitCode()).isZero();
            }
        }
        assertThat(run("sessions", "list").lines())
                .hasSize(2)
                .anyMatch(line -> line.endsWith("One."))
                .anyMatch(line -> line.endsWith("Two."));
    }

    /** In place of a full disk: a directory that has the ledger's name. */
    @Test
    void whatCouldNotBeSavedIsSavedAsSoonAsItCan() throws Exception {
        try (PseudoTerminal terminal = chat(200, 24, Map.of(), "-n", "3")) {
            ask(terminal, "One.");
            Path ledger = ConversationFile.of(sessions().getFirst());
            for (String question : List.of("Two.", "Three.")) {
                Files.delete(ledger);
                Files.createFile(Files.createDirectory(ledger).resolve("x"));
                terminal.awaitPrompt(">");
                terminal.enter(question);
                terminal.await(
                        "complaint of " + question,
                        shown -> shown.split(ledger + ": cannot be written: ", -1).length
                                == (question.equals("Two.") ? 2 : 3));
                terminal.awaitPrompt(">");
                Files.delete(ledger.resolve("x"));
                Files.delete(ledger);
                if (question.equals("Two.")) {
                    ask(terminal, "And?");
                    assertThat(questions()).isEqualTo(3);
                }
            }
            terminal.enter("/exit"); // saves it once more
            assertThat(terminal.exitCode()).isZero();
        }
        assertThat(questions()).isEqualTo(4);
    }

    @Test
    void aTranscriptTakesThePlaceOfAnotherWhole() throws Exception {
        Path real = Files.writeString(home.resolve("real.md"), "old");
        Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rw-------"));
        Path link = Files.createSymbolicLink(home.resolve("link.md"), real);
        try (PseudoTerminal terminal = chat(200, 24, Map.of(), "-n", "3")) {
            ask(terminal, "One.");
            terminal.enter("/save " + link);
            terminal.await("overwrite ");
            terminal.enter("y");
            terminal.await("wrote ");
            terminal.enter("/save " + home);
            terminal.await(home + ": ");
            terminal.enter("/save /dev/null");
            terminal.await("wrote /dev/null");
        }
        assertThat(link).isSymbolicLink();
        assertThat(real).content().startsWith("**User:**\n\nOne.\n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(real)))
                .isEqualTo("rw-------");
        assertThat(home).isDirectoryNotContaining("glob:**/.*.tmp");
    }

    /** A saved chat of a stranger's: its names reach the prompt, the drawing and the list of completions. */
    @Test
    void namesInASavedChatAreNotObeyed() throws Exception {
        String turns = "{\"id\":0,\"kind\":\"BEGINNING\"},"
                + "{\"id\":1,\"parent\":0,\"kind\":\"EXCHANGE\",\"text\":\"\\u001b]0;evil\\u0007\\r\\u009b2J\","
                + "\"base\":\"turn-0\",\"prompt\":[],\"prompt_ids\":[],\"answer\":\"\\u001b[2Jb\",\"answer_ids\":[],\"ending\":\"\\u001b[2Jc\"}";
        Path session = Files.createDirectories(home.resolve("xlstm/sessions/20260101-000000"));
        String json =
                "{\"version\":2,\"model\":\"\",\"branch\":\"\u202eniam\",\"branches\":{\"\u202eniam\":1},\"turns\":["
                        + turns + "]}";
        Files.writeString(ConversationFile.of(session), json);
        Path file = Files.createFile(home.resolve("a\u001b]0;evil\u0007"));
        assertThat(file).exists();
        try (PseudoTerminal terminal = chat("--continue", "-m", CliRun.DEMO.toString(), "-n", "3")) {
            terminal.awaitPrompt("<U+202E>niam>");
            for (String command : List.of("/branches", "/sessions", "/show")) {
                terminal.enter(command);
                terminal.await("> " + command + "\n");
                terminal.awaitPrompt("<U+202E>niam>");
            }
            terminal.type("/read " + home + "/\t");
            Thread.sleep(300);
            terminal.type("\t\t");
            Thread.sleep(300);
            assertThat(terminal.received())
                    .contains("^[]0;evil^G^MM-^[2J")
                    .doesNotContain("\u001b]0;evil", "\u009b", "\u202e", "\u001b[2Jb", "\u001b[2Jc");
        }
        Files.writeString(ConversationFile.of(session), json.replace("\u202eniam", "\\u001b]0;evil\\u0007"));
        assertThat(refused("chat", "--continue"))
                .endsWith("conversation.json: \"branches\" have a name with blanks or control characters");
    }
}
