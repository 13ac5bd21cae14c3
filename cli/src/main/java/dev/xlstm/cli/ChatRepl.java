package dev.xlstm.cli;

import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.Transcript;
import dev.xlstm.chat.TreeDrawing;
import dev.xlstm.chat.Turn;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.Outcome;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReader.Option;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;

/** Reads lines and commands, and shows answers, until the user leaves. */
final class ChatRepl {

    private final ChatTerminal terminal;
    private final ChatSettings settings;
    private final SessionStore store;
    private final ChatCommand.SessionOpener opener;
    private final LineReader reader;
    private ChatSession session;
    private String draft; // what the next line begins with

    /**
     * @param history file of lines typed, null for none
     */
    ChatRepl(
            ChatTerminal terminal,
            ChatSettings settings,
            SessionStore store,
            ChatCommand.SessionOpener opener,
            ChatSession session,
            Path history) {
        this.terminal = terminal;
        this.settings = settings;
        this.store = store;
        this.opener = opener;
        this.session = session;
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal.terminal())
                .parser(new ChatLineParser())
                .completer(new ChatCompleter(() -> conversation().branches().keySet(), this::sessionIds))
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, ". ")
                .variable(LineReader.BELL_STYLE, "none")
                .option(Option.DISABLE_EVENT_EXPANSION, true);
        if (history != null) {
            builder.variable(LineReader.HISTORY_FILE, history);
        }
        reader = builder.build();
    }

    /** The conversation goes on in it when the chat ends: to be closed. */
    ChatSession session() {
        return session;
    }

    private Conversation conversation() {
        return session.conversation();
    }

    private List<String> sessionIds() {
        try {
            return store.list().stream()
                    .map(path -> path.getFileName().toString())
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    void run() throws IOException {
        while (true) {
            String line;
            try {
                String branch = conversation().branch();
                String prompt = branch.equals(Conversation.MAIN) ? "> " : branch + "> ";
                String begin = draft;
                line = reader.readLine(prompt, null, (Character) null, begin);
            } catch (UserInterruptException e) {
                draft = null;
                terminal.note("(Ctrl-D or /exit leaves)");
                continue;
            } catch (EndOfFileException e) {
                return;
            }
            boolean edited = draft != null;
            draft = null;
            try {
                if (!take(line, edited)) {
                    return;
                }
            } catch (IOException | IllegalStateException | IllegalArgumentException e) {
                terminal.complain(Cli.describe(e));
            }
        }
    }

    /** Does what a line says; false to leave. */
    private boolean take(String line, boolean edited) throws IOException {
        String text = ChatLineParser.text(line);
        if (text.isEmpty()) {
            return true;
        }
        if (line.startsWith("/")) {
            String[] words = text.split("\\s+", 2);
            return command(SlashCommands.of(words[0]), words.length == 1 ? "" : words[1].strip());
        }
        if (edited) {
            conversation().undo(1);
        }
        say(text);
        return true;
    }

    private boolean command(SlashCommands command, String argument) throws IOException {
        if (command.needsArgument() && argument.isEmpty()) {
            throw new IllegalArgumentException("usage: " + command.usage());
        }
        switch (command) {
            case UNDO -> undo(argument);
            case RETRY -> answer(listener -> conversation().retry(settings.options(), listener));
            case EDIT_LAST -> editLast();
            case EDIT -> draftInEditor();
            case FORK -> {
                conversation().fork(argument);
                session.save();
                terminal.note("on branch " + argument);
            }
            case SWITCH -> {
                conversation().switchTo(argument);
                session.save();
                showLast();
            }
            case BRANCHES -> terminal.say(TreeDrawing.of(conversation()));
            case DELETE -> {
                conversation().delete(argument);
                session.save();
            }
            case SYSTEM -> system(argument);
            case RESET -> restart(conversation().head().system());
            case READ ->
                read(Path.of(
                        argument.startsWith("~/")
                                ? System.getProperty("user.home") + argument.substring(1)
                                : argument));
            case SET -> set(argument);
            case SHOW -> terminal.say(Transcript.markdown(conversation().head()));
            case STATS -> stats();
            case BENCH -> terminal.whileWorking(() -> terminal.say(ChatBench.measure(conversation(), terminal)));
            case SAVE -> save(argument);
            case SESSIONS -> terminal.say(SessionsCommand.table(store));
            case LOAD -> load(argument);
            case HELP -> terminal.say(SlashCommands.table());
            case EXIT -> {
                return false;
            }
        }
        return true;
    }

    /** A turn of the conversation; null if it was cancelled before anything was said. */
    interface Step {
        Turn take(GenerationListener listener) throws IOException;
    }

    void say(String text) throws IOException {
        answer(listener -> conversation().say(text, settings.options(), listener));
    }

    private void answer(Step step) throws IOException {
        AnswerPrinter printer = terminal.answerPrinter();
        terminal.whileWorking(() -> {
            Turn turn = step.take(new GenerationListener() {
                @Override
                public void prefill(int done, int total) {
                    terminal.progress(done, total);
                }

                @Override
                public void text(String piece) {
                    terminal.eraseProgress();
                    printer.print(piece);
                }

                @Override
                public boolean cancelled() {
                    return terminal.interrupted();
                }
            });
            terminal.eraseProgress();
            printer.end();
            if (turn == null) {
                terminal.note("(stopped; nothing was said)");
                return;
            }
            session.save();
            status(turn);
        });
    }

    private void status(Turn turn) throws IOException {
        Outcome outcome = conversation().outcome();
        String end = switch (turn.ending()) {
            case "interrupted" -> "stopped; /undo takes it back · ";
            case "length" -> "cut at max-tokens · ";
            default -> "";
        };
        String text = String.format(
                Locale.ROOT,
                "%s%.1f tokens/s · %,d tokens in memory · %s",
                end,
                outcome.decodeRate(),
                turn.position(),
                conversation().branch());
        int width = terminal.width();
        terminal.note(width > 0 && text.length() >= width ? text.substring(0, width - 1) : text);
        String warning = session.lengthWarning(turn);
        if (warning != null) {
            terminal.note(warning);
        }
    }

    private void undo(String argument) throws IOException {
        int turns = argument.isEmpty() ? 1 : positive(argument);
        List<Turn> undone = conversation().undo(turns);
        session.save();
        terminal.note(
                undone.isEmpty()
                        ? "nothing to undo"
                        : "took back " + undone.size() + (undone.size() == 1 ? " turn" : " turns"));
        showLast();
    }

    private static int positive(String text) {
        try {
            int number = Integer.parseInt(text);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new IllegalArgumentException("a number above 0 is needed, not '" + text + "'");
    }

    /** One line that reminds of where the conversation is. */
    private void showLast() {
        Turn head = conversation().head();
        String words =
                head.isBeginning() ? "(the beginning)" : head.text().strip().replaceAll("\\s+", " ");
        int most = Math.max(10, Math.min(terminal.width() == 0 ? 60 : terminal.width() - 12, 60));
        String shown = words.length() > most ? words.substring(0, most - 1) + "…" : words;
        terminal.note("now after: " + shown);
    }

    private void editLast() {
        Turn head = conversation().head();
        if (head.kind() != Turn.Kind.EXCHANGE) {
            throw new IllegalStateException("nothing said yet that could be changed");
        }
        draft = quoted(head.text());
    }

    private void draftInEditor() throws IOException {
        String text = ChatEditor.edit("");
        if (!text.isBlank()) {
            terminal.say(text);
            say(text.strip());
        }
    }

    private static String quoted(String text) {
        return text.contains("\n") ? "\"\"\"\n" + text + "\n\"\"\"" : text;
    }

    private void system(String text) throws IOException {
        if (text.isEmpty()) {
            String system = conversation().head().system();
            terminal.say(system == null ? "(no system prompt)" : system);
        } else {
            restart(text);
        }
    }

    private void restart(String system) throws IOException {
        String kept = conversation().restart(system);
        session.save();
        terminal.note("begins anew" + (kept == null ? "" : "; what was said is branch " + kept));
    }

    void read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + ": is a directory, not a text");
        }
        // not Files.newBufferedReader, which gives up where a text is not UTF-8
        try (Reader text = new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8)) {
            read(file.getFileName().toString(), text);
        }
    }

    void read(String name, Reader text) throws IOException {
        terminal.whileWorking(() -> {
            long[] read = new long[1];
            Turn turn = conversation().read(name, text, new GenerationListener() {
                private int last;

                @Override
                public void prefill(int done, int total) {
                    read[0] += done > last ? done - last : done;
                    last = done == total ? 0 : done;
                    terminal.progress(read[0], 0);
                }

                @Override
                public boolean cancelled() {
                    return terminal.interrupted();
                }
            });
            terminal.eraseProgress();
            if (turn == null) {
                terminal.note("(stopped; nothing of it was read)");
                return;
            }
            session.save();
            terminal.note(String.format(Locale.ROOT, "read %s, %,d tokens", name, turn.promptIds().length));
            String warning = session.lengthWarning(turn);
            if (warning != null) {
                terminal.note(warning);
            }
        });
    }

    private void set(String argument) {
        if (argument.isEmpty()) {
            terminal.say(settings.table());
            return;
        }
        String[] words = argument.split("[\\s=]+", 2);
        if (words.length == 1 && !words[0].equals("stop")) {
            throw new IllegalArgumentException("usage: " + SlashCommands.SET.usage());
        }
        settings.set(words[0], words.length == 1 ? "" : words[1]);
        terminal.note(words[0] + " = " + (words.length == 1 ? "(none)" : words[1]));
    }

    private void stats() {
        Conversation now = conversation();
        Outcome last = now.outcome();
        StringBuilder text = new StringBuilder();
        text.append("model      ").append(now.model().directory().path()).append('\n');
        text.append("session    ").append(session.id()).append('\n');
        text.append(String.format(
                Locale.ROOT,
                "memory     %,d tokens, %s however many; snapshots: %d in memory, %d on disk%n",
                now.head().position(),
                MemorySize.text(4
                        * now.model().loaded().config().stateFloatsPerLayer()
                        * now.model().loaded().config().numLayers()),
                now.snapshotsInMemory(),
                now.snapshotsOnDisk()));
        if (last != null) {
            text.append(String.format(
                    Locale.ROOT,
                    "last turn  read %d tokens at %.1f/s, wrote %d at %.1f/s%n",
                    last.promptTokens(),
                    last.prefillRate(),
                    last.tokens(),
                    last.decodeRate()));
        }
        terminal.say(text.toString());
    }

    private void save(String argument) throws IOException {
        session.save();
        if (argument.isEmpty()) {
            terminal.note("saved as session " + session.id() + "; xlstm chat --continue goes on with it");
            return;
        }
        Turn head = conversation().head();
        Files.writeString(
                Path.of(argument), argument.endsWith(".json") ? Transcript.json(head) : Transcript.markdown(head));
        terminal.note("wrote " + argument);
    }

    private void load(String id) throws IOException {
        Path found = store.find(id);
        if (found.getFileName().toString().equals(session.id())) {
            terminal.note("this is it");
            return;
        }
        session.save();
        ChatSession loaded = opener.open(found);
        session.close();
        session = loaded;
        showLast();
    }
}
