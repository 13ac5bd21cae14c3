package dev.xlstm.cli.chat;

import dev.xlstm.chat.Conversation;
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

    private static final int STATS_COLUMN = 11; // where what is said of each begins
    private static final int LABEL = 60; // characters of what was said that remind of it

    private final ChatTerminal terminal;
    private final ChatSettings settings;
    private final SessionStore store;
    private final ChatCommand.SessionOpener opener;
    private final ChatTalk talk;

    ChatCommands(
            ChatTerminal terminal,
            ChatSettings settings,
            SessionStore store,
            ChatCommand.SessionOpener opener,
            ChatTalk talk) {
        this.terminal = terminal;
        this.settings = settings;
        this.store = store;
        this.opener = opener;
        this.talk = talk;
    }

    private Conversation conversation() {
        return talk.session().conversation();
    }

    /**
     * Runs a command.
     *
     * @return what the next line begins with, null for nothing
     * @throws IllegalArgumentException in one line, if its argument makes no sense
     */
    String run(SlashCommand command, String argument) throws IOException {
        command.check(argument);
        switch (command) {
            case UNDO -> undo(argument);
            case RETRY -> talk.retry();
            case EDIT_LAST -> {
                return ChatLineParser.quoted(lastQuestion());
            }
            case EDIT -> edit();
            case FORK -> {
                conversation().fork(argument);
                talk.session().save();
                terminal.note("on branch " + argument);
            }
            case SWITCH -> {
                conversation().switchTo(argument);
                talk.session().save();
                showPlace();
            }
            case BRANCHES -> terminal.say(TreeDrawing.of(conversation(), terminal.width()));
            case DELETE -> {
                conversation().delete(argument);
                talk.session().save();
                terminal.note("deleted " + argument);
            }
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
            case EXIT -> throw new IllegalStateException("the reader of lines ends the chat");
        }
        return null;
    }

    /** As a shell would take it. */
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
        talk.say(text);
    }

    private void undo(String argument) throws IOException {
        int turns = argument.isEmpty() ? 1 : positive(argument);
        List<Turn> undone = conversation().undo(turns);
        talk.session().save();
        terminal.note(
                undone.isEmpty()
                        ? "nothing to undo"
                        : "took back " + undone.size() + (undone.size() == 1 ? " turn" : " turns"));
        showPlace();
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
    private void showPlace() {
        Turn head = conversation().head();
        String state = head.parent() == null ? "" : ", after " + head.parent().text();
        terminal.note("now after: " + (head.isBeginning() ? "(the beginning" + state + ")" : head.label(LABEL)));
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
        talk.session().save();
        terminal.note("begins anew" + (kept == null ? "" : "; what was said is branch " + kept));
    }

    private void read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + ": is a directory, not a text");
        }
        // not Files.newBufferedReader, which gives up where a text is not UTF-8
        try (Reader text = new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8)) {
            talk.read(file.getFileName().toString(), text);
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
        text.append("session    ").append(talk.session().id()).append('\n');
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
            talk.session().save();
            terminal.note("saved as session " + talk.session().id() + "; xlstm chat --continue goes on with it");
            return;
        }
        Turn head = conversation().head();
        write(path(argument), argument.endsWith(".json") ? Transcript.json(head) : Transcript.markdown(head));
        terminal.note("wrote " + argument);
    }

    /** A file there stays as it was until the new one is whole, a link stays a link, and nobody else may read it then. */
    private static void write(Path file, String text) throws IOException {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        if (Files.notExists(file)) {
            WholeFile.write(file, content);
        } else if (!Files.isRegularFile(file)) { // a device, say
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
        if (found.getFileName().toString().equals(talk.session().id())) {
            terminal.note("this is it");
            return;
        }
        talk.session().save();
        talk.goOnWith(opener.open(found));
        showPlace();
    }
}
