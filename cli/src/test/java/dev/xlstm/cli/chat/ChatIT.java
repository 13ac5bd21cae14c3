package dev.xlstm.cli.chat;

import dev.xlstm.cli.PseudoTerminal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

import static dev.xlstm.cli.PseudoTerminal.CTRL_C;
import static dev.xlstm.cli.PseudoTerminal.CTRL_D;
import static org.assertj.core.api.Assertions.assertThat;

/** A chat's turns, tree and sessions: what the screen shows. */
class ChatIT extends ChatOnTerminal {

    @Test
    void answersAndStatusAndExit() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "0")) {
            terminal.awaitPrompt(">");
            terminal.enter("Hello!");
            String screen = terminal.await("tokens in memory · main");
            assertThat(screen).containsPattern("> Hello!\n\\w.+\n[\\d.]+ tokens/s · \\d+ tokens in memory · main");
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
        }
    }

    @Test
    void undoForkAndSwitch() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "0", "-n", "12")) {
            terminal.awaitPrompt(">");
            terminal.enter("Hello!");
            int first = tokens(terminal.await("tokens in memory"));
            terminal.awaitPrompt(">");
            terminal.enter("/fork side");
            terminal.awaitPrompt("side>");
            terminal.enter("Who are you?");
            terminal.await("tokens in memory · side");
            terminal.awaitPrompt("side>");
            terminal.enter("/branches");
            assertThat(terminal.await("<- * side")).contains("(start)\nHello!  <- main\nWho are you?  <- * side");
            terminal.enter("/switch main");
            terminal.await("now after: Hello!");
            terminal.awaitPrompt(">");
            terminal.enter("Why?");
            terminal.await("> Why?");
            terminal.await("status", shown -> shown.lastIndexOf("in memory · main") > shown.lastIndexOf("Why?"));
            terminal.awaitPrompt(">");
            terminal.enter("/undo");
            terminal.await("took back 1 turn");
            terminal.enter("/branches");
            terminal.await("tree", shown -> shown.contains("Hello!  <- * main\nWho are you?  <- side"));
            terminal.enter("/delete side");
            terminal.enter("/switch side");
            terminal.await("no branch 'side'; there are main");
            terminal.enter("/undo 5");
            terminal.await("now after: (the beginning)");
            terminal.enter("Hello!");
            terminal.await("as at first", shown -> shown.endsWith(">") && tokens(shown) == first);
            terminal.type(String.valueOf(CTRL_D));
            assertThat(terminal.exitCode()).isZero();
        }
    }

    @Test
    void ctrlCStopsAnAnswerAndKeepsIt() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "2", "--top-k", "0", "--top-p", "1", "--min-p", "0", "-n", "-1")) {
            terminal.awaitPrompt(">");
            terminal.enter("Tell me a very long story about a dragon.");
            terminal.await("first words", shown -> shown.lines().count() > 3);
            terminal.type(String.valueOf(CTRL_C));
            terminal.await("stopped; /undo takes it back");
            assertThat(tokens(terminal.awaitPrompt(">"))).isGreaterThan(15);
            terminal.enter("/show");
            terminal.await("*[interrupted]*");
            terminal.awaitPrompt(">"); // one that comes before is lost
            terminal.type(String.valueOf(CTRL_C));
            terminal.await("(Ctrl-D or /exit leaves)");
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
        }
    }

    @Test
    void ctrlCAtThePromptIsTakenOnceEachTime() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "0", "-n", "3")) {
            terminal.awaitPrompt(">");
            for (int pressed = 1; pressed <= 30; pressed++) {
                terminal.type((pressed % 3 == 0 ? "words not sent" : "") + CTRL_C);
                int hints = pressed;
                terminal.await("hint " + pressed, shown -> hints(terminal) >= hints && shown.endsWith("\n>"));
                Thread.sleep(pressed); // for a second that should not come
                assertThat(hints(terminal)).isEqualTo(pressed);
            }
            terminal.type("" + CTRL_C + CTRL_C + CTRL_C); // nor do several at once end anything
            terminal.enter("Hello!");
            terminal.await("tokens in memory · main");
            terminal.awaitPrompt(">");
            assertThat(hints(terminal)).isBetween(31, 33);
            terminal.type(String.valueOf(CTRL_D));
            assertThat(terminal.exitCode()).isZero();
        }
    }

    @Test
    void ctrlCJustBeforeThePromptEndsNothingAndLeavesNoTrace() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "0", "-n", "1")) {
            terminal.awaitPrompt(">");
            for (int pressed = 1; pressed <= 20; pressed++) {
                int begin = terminal.received().length();
                terminal.enter("Hello!");
                for (int waited = 0; !terminal.received().substring(begin).contains("tokens in memory"); waited++) {
                    assertThat(waited).as("milliseconds; %s", terminal.screen()).isLessThan(60_000);
                    Thread.sleep(1);
                }
                Thread.sleep(pressed % 4);
                terminal.type(String.valueOf(CTRL_C));
                String shown = terminal.await("prompt " + pressed, screen -> screen.endsWith(">"));
                assertThat(shown).doesNotContain("^C").endsWith("\n>");
            }
            terminal.type(String.valueOf(CTRL_D));
            assertThat(terminal.exitCode()).isZero();
        }
    }

    private static int hints(PseudoTerminal terminal) {
        return terminal.received().split("\\(Ctrl-D or /exit leaves\\)", -1).length - 1;
    }

    @Test
    void linesTypedAreThereInTheNextSession() throws Exception {
        String up = "\u001bOA"; // in the mode that the terminal is asked to be in
        String plainUp = "\u001b[A";
        try (PseudoTerminal terminal = chat("-n", "3")) {
            terminal.awaitPrompt(">");
            terminal.enter("What is first!");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/set top-k 7");
            terminal.await("top-k = 7");
            terminal.awaitPrompt(">");
            terminal.type(String.valueOf(CTRL_D));
            assertThat(terminal.exitCode()).isZero();
        }
        Path history = home.resolve("xlstm/history");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(history)))
                .isEqualTo("rw-------");
        try (PseudoTerminal terminal = chat("-n", "3")) {
            terminal.awaitPrompt(">");
            terminal.type(up);
            terminal.await("last line", shown -> shown.endsWith("> /set top-k 7"));
            terminal.type(plainUp);
            terminal.await("line before", shown -> shown.endsWith("> What is first!"));
            terminal.enter("");
            terminal.await("tokens in memory");
            terminal.kill();
        }
        String before = Files.readString(history);
        assertThat(before).as("kept line by line, whatever becomes of the chat").endsWith(":What is first!\n");
        try (PseudoTerminal terminal = chat("--no-history", "-n", "3")) {
            terminal.awaitPrompt(">");
            terminal.type(up);
            terminal.enter("a secret");
            terminal.await("> a secret");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.type(String.valueOf(CTRL_D));
            assertThat(terminal.exitCode()).isZero();
        }
        assertThat(Files.readString(history)).isEqualTo(before);
    }

    @Test
    void completesCommandsBranchesSettingsAndPaths() throws Exception {
        Path notes = Files.writeString(home.resolve("notes.md"), "The cat is called Mia.\n");
        try (PseudoTerminal terminal = chat()) {
            terminal.awaitPrompt(">");
            terminal.type("/bra\t");
            terminal.await("> /branches");
            terminal.enter("");
            terminal.await("(start)  <- * main");
            terminal.type("/set temp\t");
            terminal.await("> /set temperature");
            terminal.enter("0.1");
            terminal.await("temperature = 0.1");
            terminal.enter("/fork aside");
            terminal.awaitPrompt("aside>");
            terminal.type("/switch ma\t");
            terminal.await("/switch main");
            terminal.enter("");
            terminal.await("now after: (the beginning)");
            terminal.type("/read " + home + "/no\t");
            terminal.await("path", shown -> shown.replace("\n", "").contains(notes.toString()));
            terminal.enter("");
            terminal.await("read notes.md, ");
            terminal.enter("/nonsense");
            terminal.await("no command /nonsense; /help lists them");
        }
    }

    @Test
    void aKilledChatGoesOn() throws Exception {
        try (PseudoTerminal terminal = chat("-t", "0", "-n", "20")) {
            terminal.awaitPrompt(">");
            terminal.enter("My name is Tom.");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("Tell me a story about a dragon.");
            Thread.sleep(50);
            terminal.kill();
        }
        try (PseudoTerminal terminal = chat("--continue", "-t", "0", "-n", "20")) {
            terminal.await("> My name is Tom.");
            terminal.awaitPrompt(">");
            terminal.enter("/stats");
            terminal.await("tokens, ");
            terminal.enter("What is my name?");
            terminal.await("tokens in memory");
            terminal.enter("/undo 9");
            terminal.await("now after: (the beginning)");
        }
        Path state = home.resolve("xlstm");
        assertThat(Files.getPosixFilePermissions(state.resolve("sessions")))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        try (Stream<Path> files = Files.walk(state)) {
            assertThat(files.filter(Files::isRegularFile))
                    .allSatisfy(file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .isEqualTo("rw-------"));
        }
    }

    @Test
    void aPipePrimesAndTheTerminalTalks() throws Exception {
        String command = "printf 'The cat is called Mia.' | " + LAUNCHER + " chat -t 0 -n 9";
        Map<String, String> environment = Map.of("XDG_STATE_HOME", home.toString());
        try (PseudoTerminal terminal = new PseudoTerminal(80, 24, environment, "/bin/sh", "-c", command)) {
            terminal.await("read standard input, ");
            terminal.awaitPrompt(">");
            terminal.enter("What is the cat called?");
            terminal.await("tokens in memory");
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
        }
    }

    @Test
    void sessionsAreListedExportedAndDeleted() throws Exception {
        try (PseudoTerminal terminal = chat("-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("Hello there!");
            terminal.await("tokens in memory");
            terminal.enter("/exit");
            terminal.exitCode();
        }
        assertThat(run("sessions", "list")).contains("tokens  1 branch ").contains("Hello there!");
        assertThat(run("sessions", "show")).startsWith("**User:**\n\nHello there!\n\n**Assistant:**\n\n");
        assertThat(run("sessions", "export", "--json")).contains("\"role\" : \"user\"", "\"Hello there!\"");
        String id = run("sessions", "list").split(" ")[0];
        run("sessions", "delete", id);
        assertThat(run("sessions", "list")).isEqualTo("no saved sessions\n");
    }
}
