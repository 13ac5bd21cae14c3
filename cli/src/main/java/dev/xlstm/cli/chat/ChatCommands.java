package dev.xlstm.cli.chat;

import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.SessionStore;
import dev.xlstm.chat.Transcript;
import dev.xlstm.chat.TreeDrawing;
import dev.xlstm.chat.Turn;
import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.generation.Outcome;
import dev.xlstm.safetensors.WholeFile;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;

/** What each command of a chat does. */
final class ChatCommands {

    private static final int STATS_COLUMN = 11; // where the values begin
    private static final int LABEL_CHARS = 60;

    private final ChatTerminal terminal;
    private final ChatSettings settings;
    private final SessionStore store;
    private final ChatCommand.SessionOpener opener;
    private final TurnRunner turns;

    ChatCommands(
            ChatTerminal terminal,
            ChatSettings settings,
            SessionStore store,
            ChatCommand.SessionOpener opener,
            TurnRunner turns) {
        this.terminal = terminal;
        this.settings = settings;
        this.store = store;
        this.opener = opener;
        this.turns = turns;
    }

    private Conversation conversation() {
        return turns.session().conversation();
    }

    /**
     * Runs a command.
     *
     * @return what the next line begins with, null for nothing
     * @throws IllegalArgumentException if its argument makes no sense
     */
    String run(SlashCommand command, String argument) throws IOException {
        command.check(argument);
        switch (command) {
            case UNDO -> undo(argument);
            case RETRY -> turns.retry();
            case EDIT_LAST -> {
                return lastQuestion();
            }
            case EDIT -> edit();
            case FORK -> {
                conversation().fork(argument);
                turns.session().save();
                terminal.note("on branch " + argument);
            }
            case SWITCH -> {
                conversation().switchTo(argument);
                turns.session().save();
                showHead();
            }
            case BRANCHES -> terminal.say(TreeDrawing.of(conversation(), terminal.width()));
            case DELETE -> {
                conversation().delete(argument);
                turns.session().save();
                terminal.note("deleted " + argument);
            }
            case NAME -> name(argument);
            case SYSTEM -> system(argument);
            case RESET -> restart(conversation().head().system());
            case READ -> read(path(argument));
            case SET -> set(argument);
            case SHOW -> terminal.prose(Transcript.markdown(conversation().head()));
            case STATS -> stats();
            case BENCH -> terminal.whileWorking(() -> terminal.say(ChatBench.measure(conversation(), terminal)));
            case SAVE -> save(argument);
            case SESSIONS -> terminal.say(SessionsCommand.table(store, terminal.width()));
            case LOAD -> load(argument);
            case HELP -> terminal.table(SlashCommand.table(), SlashCommand.TEXT_COLUMN);
            case EXIT -> throw new IllegalStateException("ChatRepl handles this command");
        }
        return null;
    }

    /** Expands a leading {@code ~/}, as a shell does. */
    private static Path path(String typed) {
        return Path.of(typed.startsWith("~/") ? System.getProperty("user.home") + typed.substring(1) : typed);
    }

    private String lastQuestion() {
        Turn head = conversation().head();
        if (head.kind() != Turn.Kind.EXCHANGE) {
            throw new IllegalStateException("nothing has been said yet");
        }
        return head.text();
    }

    private void edit() throws IOException {
        StringBuilder written = new StringBuilder();
        terminal.lend(() -> written.append(ChatEditor.edit("")));
        String text = written.toString().strip();
        if (text.isEmpty()) {
            terminal.note("nothing written");
            return;
        }
        terminal.prose(text);
        turns.say(text);
    }

    private void undo(String argument) throws IOException {
        List<Turn> undone = conversation().undo(argument.isEmpty() ? 1 : positive(argument));
        turns.session().save();
        terminal.note(
                undone.isEmpty()
                        ? "nothing to undo"
                        : "took back " + undone.size() + (undone.size() == 1 ? " turn" : " turns"));
        showHead();
    }

    private static int positive(String text) {
        try {
            int number = Integer.parseInt(text);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // the message below says it
        }
        throw new IllegalArgumentException("a number above 0 is needed, not '" + text + "'");
    }

    /** One line that says where the conversation is. */
    private void showHead() {
        Turn head = conversation().head();
        String state = head.parent() == null ? "" : ", after " + head.parent().text();
        terminal.note("now after: " + (head.isBeginning() ? "(the beginning" + state + ")" : head.label(LABEL_CHARS)));
    }

    private void name(String text) throws IOException {
        if (!text.isEmpty()) {
            conversation().rename(text);
            turns.session().save();
        }
        String name = conversation().name();
        terminal.note(name == null ? "(no name; the first question is the title)" : "named '" + name + "'");
    }

    private void system(String text) throws IOException {
        if (text.isEmpty()) {
            String system = conversation().head().system();
            terminal.prose(system == null ? "(no system prompt)" : system);
        } else {
            restart(text);
        }
    }

    private void restart(String system) throws IOException {
        String kept = conversation().restart(system);
        turns.session().save();
        terminal.note("begins anew" + (kept == null ? "" : "; the turns so far are branch " + kept));
    }

    private void read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + ": is a directory, not a text");
        }
        // not Files.newBufferedReader, which fails on a text that is not UTF-8
        try (Reader text = new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8)) {
            turns.read(file.getFileName().toString(), text);
        }
    }

    private void set(String argument) {
        if (argument.isEmpty()) {
            terminal.table(settings.table(), ChatSettings.TEXT_COLUMN);
            return;
        }
        String[] words = argument.split("[\\s=]+", 2);
        if (words.length == 1 && !words[0].equals("stop")) {
            throw new IllegalArgumentException("usage: " + SlashCommand.SET.usage());
        }
        settings.set(words[0], words.length == 1 ? "" : words[1]);
        terminal.note(words[0] + " = " + (words.length == 1 ? "(none)" : words[1]));
    }

    private void stats() {
        Conversation now = conversation();
        Outcome last = now.outcome();
        StringBuilder text = new StringBuilder();
        text.append("model      ")
                .append(now.model().directory().path().toAbsolutePath().normalize())
                .append('\n');
        String name = now.name();
        text.append("session    ")
                .append(turns.session().id())
                .append(name == null ? "" : " '" + name + "'")
                .append('\n');
        text.append(String.format(
                Locale.ROOT,
                "memory     %,d tokens, %s however many; snapshots: %d in memory, %d on disk%n",
                now.head().position(),
                ByteSize.text(now.model().loaded().config().stateBytes()),
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
        terminal.table(text.toString(), STATS_COLUMN);
    }

    private void save(String argument) throws IOException {
        if (argument.isEmpty()) {
            turns.session().save();
            terminal.note("saved as session " + turns.session().id() + "; xlstm chat --continue goes on with it");
            return;
        }
        Path file = path(argument);
        if (Files.isRegularFile(file) && !terminal.confirm("overwrite " + argument + "?")) {
            terminal.note("not written");
            return;
        }
        Turn head = conversation().head();
        write(file, argument.endsWith(".json") ? Transcript.json(head) : Transcript.markdown(head));
        terminal.note("wrote " + argument);
    }

    /** Replaces a file only when the new one is whole; keeps its permissions, and links to it. */
    private static void write(Path file, String text) throws IOException {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        if (Files.notExists(file)) {
            WholeFile.write(file, content);
        } else if (!Files.isRegularFile(file)) { // such as a device
            Files.write(file, content);
        } else if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
            Path real = file.toRealPath();
            WholeFile.write(real, content, PosixFilePermissions.asFileAttribute(Files.getPosixFilePermissions(real)));
        } else {
            WholeFile.write(file.toRealPath(), content);
        }
    }

    private void load(String id) throws IOException {
        Path found = store.find(id);
        if (found.getFileName().toString().equals(turns.session().id())) {
            terminal.note("this is the current session");
            return;
        }
        turns.session().save();
        turns.switchTo(opener.open(found));
        showHead();
    }
}
