package dev.xlstm.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.xlstm.cli.PseudoTerminal.CTRL_C;
import static dev.xlstm.cli.PseudoTerminal.CTRL_D;
import static org.assertj.core.api.Assertions.assertThat;

/** {@code xlstm chat} through its launcher on a real pseudo-terminal: what the screen shows. */
class ChatIT {

    private static final String LAUNCHER =
            Path.of("..", "scripts", "xlstm").toAbsolutePath().normalize().toString();

    @TempDir
    private Path home;

    private PseudoTerminal chat(String... arguments) throws IOException {
        return chat(80, 24, Map.of(), arguments);
    }

    private PseudoTerminal chat(int columns, int rows, Map<String, String> environment, String... arguments)
            throws IOException {
        Map<String, String> all = new HashMap<>(environment);
        all.put("XDG_STATE_HOME", home.toString());
        List<String> command = new ArrayList<>(List.of(LAUNCHER, "chat", "--seed", "1"));
        command.addAll(List.of(arguments));
        return new PseudoTerminal(columns, rows, all, command.toArray(String[]::new));
    }

    private static int tokens(String screen) {
        Matcher status = Pattern.compile("([\\d,]+) tokens in memory").matcher(screen);
        int tokens = -1;
        while (status.find()) {
            tokens = Integer.parseInt(status.group(1).replace(",", ""));
        }
        return tokens;
    }

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
            terminal.type(String.valueOf(CTRL_C));
            terminal.await("(Ctrl-D or /exit leaves)");
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
        }
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
    void severalLinesInQuotesBehindBackslashesAndPasted() throws Exception {
        try (PseudoTerminal terminal = chat("-n", "3")) {
            terminal.awaitPrompt(">");
            terminal.enter("\"\"\"one");
            terminal.enter("two\"\"\"");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("three\\");
            terminal.enter("four");
            terminal.await("two turns", shown -> shown.split("tokens in memory").length == 3 && shown.endsWith(">"));
            terminal.type("\u001b[200~five\nsix\u001b[201~");
            terminal.await("six");
            terminal.enter("!event");
            terminal.await("three turns", shown -> shown.split("tokens in memory").length == 4 && shown.endsWith(">"));
            terminal.enter("/save " + home.resolve("talk.json"));
            terminal.await("wrote ");
            assertThat(Files.readString(home.resolve("talk.json")))
                    .contains("\"one\\ntwo\"", "\"three\\nfour\"", "\"five\\nsix!event\"");
        }
    }

    @Test
    void answersWrapByWordsAlsoAfterAResize() throws Exception {
        try (PseudoTerminal terminal = chat(40, 50, Map.of(), "-t", "0", "-n", "60")) {
            terminal.awaitPrompt(">");
            terminal.enter("Tell me a story.");
            String wide = terminal.await("answer", shown -> shown.contains("tokens/s") && shown.endsWith("\n>"));
            assertThat(wide.lines().filter(line -> line.length() > 30)).isNotEmpty();
            terminal.resize(24, 50);
            terminal.enter("/undo");
            terminal.await("took back 1 turn");
            terminal.enter("Tell me a story.");
            terminal.await(
                    "second answer",
                    shown -> shown.split("tell me a story|Tell me a story").length > 2 && shown.endsWith(">"));
            String narrow = terminal.received().substring(terminal.received().lastIndexOf("Tell me a story."));
            List<String> lines = narrow.replaceAll("\u001b\\[[?>=]?[\\d;]*[a-zA-Z]|\u001b[>=]", "")
                    .lines()
                    .skip(1)
                    .filter(line -> !line.contains("tokens/s"))
                    .toList();
            assertThat(lines).hasSizeGreaterThan(4).allMatch(line -> line.length() < 24);
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
    void aDumbTerminalAndNoColour() throws Exception {
        try (PseudoTerminal terminal = chat(30, 24, Map.of("TERM", "dumb"), "-t", "0")) {
            terminal.await(">");
            terminal.enter("Hello!");
            terminal.await("tokens/s");
            terminal.enter("/exit");
            assertThat(terminal.exitCode()).isZero();
            assertThat(terminal.received()).doesNotContain("\u001b[");
        }
        try (PseudoTerminal terminal = chat(80, 24, Map.of("NO_COLOR", "1"), "-t", "0")) {
            terminal.awaitPrompt(">");
            terminal.enter("Hello!");
            terminal.await("tokens/s");
            assertThat(terminal.received()).doesNotContainPattern("\u001b\\[[\\d;]*m");
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
    void editLastAndTheEditor() throws Exception {
        Path editor = Files.writeString(home.resolve("editor.sh"), "#!/bin/sh\necho 'written elsewhere' > \"$1\"\n");
        Files.setPosixFilePermissions(editor, PosixFilePermissions.fromString("rwx------"));
        try (PseudoTerminal terminal = chat(80, 40, Map.of("VISUAL", editor.toString()), "-n", "4")) {
            terminal.awaitPrompt(">");
            terminal.enter("first words");
            terminal.await("tokens in memory");
            terminal.awaitPrompt(">");
            terminal.enter("/edit-last");
            terminal.await("draft", shown -> shown.endsWith("> first words"));
            terminal.enter(" changed");
            terminal.await("answer", shown -> shown.split("tokens in memory").length == 3 && shown.endsWith(">"));
            terminal.enter("/edit");
            terminal.await("third", shown -> shown.split("tokens in memory").length == 4 && shown.endsWith(">"));
            terminal.enter("/branches");
            assertThat(terminal.await("<- * main"))
                    .contains("(start)\nfirst words changed\nwritten elsewhere  <- * main");
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
        assertThat(run("sessions", "list")).contains("tokens  1 branches").contains("Hello there!");
        assertThat(run("sessions", "show")).startsWith("**User:**\n\nHello there!\n\n**Assistant:**\n\n");
        assertThat(run("sessions", "export", "--json")).contains("\"role\" : \"user\"", "\"Hello there!\"");
        String id = run("sessions", "list").split(" ")[0];
        run("sessions", "delete", id);
        assertThat(run("sessions", "list")).isEqualTo("no saved sessions\n");
    }

    private String run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(LAUNCHER));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("XDG_STATE_HOME", home.toString());
        Process process = builder.start();
        try (InputStream out = process.getInputStream()) {
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor())
                    .as(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                    .isZero();
            return text;
        }
    }
}
