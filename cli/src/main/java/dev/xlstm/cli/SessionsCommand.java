package dev.xlstm.cli;

import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.Transcript;
import dev.xlstm.chat.Turn;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm sessions}. */
@Command(
        name = "sessions",
        description = "Shows, exports and deletes saved chats.",
        synopsisSubcommandLabel = "COMMAND",
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm sessions list",
            "  xlstm sessions export --json | jq .messages",
        })
final class SessionsCommand implements Callable<Integer> {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");
    private static final int WORDS = 48; // characters shown of what was said last

    private final Streams streams;
    private final SessionStore store;

    @Spec
    private CommandSpec spec;

    SessionsCommand(Streams streams) {
        this.streams = streams;
        store = SessionStore.ofUser(System.getenv());
    }

    @Override
    public Integer call() {
        streams.err().println(spec.commandLine().getUsageMessage().stripTrailing());
        return Cli.USAGE;
    }

    /** One line for each saved session, the one used last first. */
    static String table(SessionStore store) throws IOException {
        StringBuilder table = new StringBuilder();
        for (Path session : store.list()) {
            String words;
            long tokens = 0;
            int branches = 0;
            try {
                ConversationFile saved = ConversationFile.open(session);
                Turn head = saved.branches().get(saved.branch());
                words = head.isBeginning() ? "" : head.label(WORDS);
                tokens = head.position();
                branches = saved.branches().size();
            } catch (IOException e) {
                words = "(damaged)";
            }
            LocalDateTime used = LocalDateTime.ofInstant(
                    Instant.ofEpochMilli(SessionStore.lastUse(session)), ZoneId.systemDefault());
            table.append(String.format(
                    "%-18s %s %7d tokens %2d branches %10s  %s%n",
                    session.getFileName(),
                    used.format(TIME),
                    tokens,
                    branches,
                    MemorySize.text(SessionStore.bytes(session)),
                    words));
        }
        return table.isEmpty() ? "no saved sessions\n" : table.toString();
    }

    @Command(name = "list", description = "Lists saved sessions, the one used last first.")
    int list() throws IOException {
        streams.printUntrusted(table(store));
        return Cli.OK;
    }

    @Command(name = "show", description = "Prints the conversation of a session's current branch.")
    int show(@Parameters(paramLabel = "ID", arity = "0..1", description = "Default: the session used last.") String id)
            throws IOException {
        streams.printUntrusted(Transcript.markdown(head(id, null)));
        return Cli.OK;
    }

    @Command(name = "export", description = "Prints a session as Markdown or JSON.")
    int export(
            @Option(names = "--json", fallbackValue = "true", description = "JSON in place of Markdown.") boolean json,
            @Option(names = "--branch", paramLabel = "NAME", description = "Default: the current one.") String branch,
            @Parameters(paramLabel = "ID", arity = "0..1", description = "Default: the session used last.") String id)
            throws IOException {
        Turn head = head(id, branch);
        streams.printUntrusted(json ? Transcript.json(head) : Transcript.markdown(head));
        return Cli.OK;
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
        return Cli.OK;
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
