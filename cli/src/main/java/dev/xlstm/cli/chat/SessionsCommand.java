package dev.xlstm.cli.chat;

import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.Excerpt;
import dev.xlstm.chat.SessionStore;
import dev.xlstm.chat.Transcript;
import dev.xlstm.chat.Turn;
import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code xlstm sessions}. */
@Command(
        name = "sessions",
        description = "Lists, shows, names, exports and deletes saved chats. Without a command, lists them.",
        synopsisSubcommandLabel = "[COMMAND]",
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm sessions",
            "  xlstm sessions export --json | jq .messages",
        })
public final class SessionsCommand implements Callable<Integer> {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");
    private static final int TITLE_CHARS = 48;
    private static final int FEWEST_TITLE_CHARS = 20; // before other details go

    private final Streams streams;
    private final SessionStore store;

    public SessionsCommand(Streams streams, Map<String, String> environment) {
        this.streams = streams;
        store = SessionStore.ofUser(environment);
    }

    @Override
    public Integer call() throws IOException {
        return list();
    }

    /**
     * One line for each saved session, the one used last first.
     *
     * @param width columns of the terminal; where they are few, details are left out; 0 for no limit
     */
    static String table(SessionStore store, int width) throws IOException {
        List<String> lines = new ArrayList<>();
        for (Path session : store.list()) {
            lines.add(line(session, width));
        }
        return lines.isEmpty() ? "no saved sessions\n" : String.join("\n", lines) + "\n";
    }

    private static String line(Path session, int width) throws IOException {
        LocalDateTime used =
                LocalDateTime.ofInstant(Instant.ofEpochMilli(SessionStore.lastUse(session)), ZoneId.systemDefault());
        List<String> details = new ArrayList<>();
        String id = session.getFileName().toString().replaceAll("\\s", " ");
        details.add(String.format("%-17s", id));
        details.add(used.format(TIME));
        String title = "";
        try {
            ConversationFile saved = ConversationFile.open(session);
            title = saved.title() == null ? "" : saved.title();
            Turn head = saved.branches().get(saved.branch());
            int branches = saved.branches().size();
            details.add(String.format("%7d tokens", head.position()));
            details.add(String.format("%2d %-8s", branches, branches == 1 ? "branch" : "branches"));
            details.add(String.format("%10s", ByteSize.text(SessionStore.bytes(session))));
        } catch (IOException e) {
            details.add("(damaged)");
        }
        int room = width - 3; // two blanks before the title, and the last column, which makes some terminals wrap
        while (width > 0 && details.size() > 1 && String.join(" ", details).length() + FEWEST_TITLE_CHARS > room) {
            details.removeLast();
        }
        String line = String.join(" ", details);
        int chars = width > 0 ? Math.max(1, room - line.length()) : TITLE_CHARS;
        return (line + "  " + Excerpt.of(title, chars)).stripTrailing();
    }

    @Command(name = "list", description = "Lists saved sessions, the one used last first.")
    int list() throws IOException {
        streams.printUntrusted(table(store, streams.outIsTerminal() ? ChatTerminal.columns() : 0));
        return ExitCode.OK;
    }

    @Command(name = "show", description = "Prints the conversation of a session's current branch.")
    int show(@Parameters(paramLabel = "ID", arity = "0..1", description = "Default: the session used last.") String id)
            throws IOException {
        streams.printUntrusted(Transcript.markdown(head(id, null)));
        return ExitCode.OK;
    }

    @Command(name = "export", description = "Prints a session as Markdown or JSON.")
    int export(
            @Option(names = "--json", fallbackValue = "true", description = "JSON in place of Markdown.") boolean json,
            @Option(names = "--branch", paramLabel = "NAME", description = "Default: the current one.") String branch,
            @Parameters(paramLabel = "ID", arity = "0..1", description = "Default: the session used last.") String id)
            throws IOException {
        Turn head = head(id, branch);
        streams.printUntrusted(json ? Transcript.json(head) : Transcript.markdown(head));
        return ExitCode.OK;
    }

    @Command(name = "rename", description = "Names a session; an empty NAME takes its name away.")
    int rename(
            @Parameters(paramLabel = "ID", description = "Which.") String id,
            @Parameters(paramLabel = "NAME", description = "Shown by list; chat --continue and /load find it.")
                    String name)
            throws IOException {
        Path session = store.find(id);
        FileChannel lock = SessionStore.lock(session);
        try {
            ConversationFile.rename(session, name);
        } finally {
            lock.close();
        }
        return ExitCode.OK;
    }

    @Command(name = "delete", description = "Deletes sessions.")
    int delete(@Parameters(paramLabel = "ID", arity = "1..*", description = "Which.") List<String> ids)
            throws IOException {
        for (String id : ids) {
            Path session = store.find(id);
            FileChannel lock = SessionStore.lock(session);
            try {
                SessionStore.delete(session);
            } finally {
                lock.close();
            }
        }
        return ExitCode.OK;
    }

    private Turn head(String id, String branch) throws IOException {
        ConversationFile saved = ConversationFile.open(store.find(id));
        Turn head = saved.branches().get(branch == null ? saved.branch() : branch);
        if (head == null) {
            throw new IOException("no branch '" + branch + "'; there are "
                    + String.join(", ", saved.branches().keySet()));
        }
        return head;
    }
}
