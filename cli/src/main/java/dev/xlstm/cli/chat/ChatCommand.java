package dev.xlstm.cli.chat;

import dev.xlstm.chat.ChatSession;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.SessionStore;
import dev.xlstm.chat.Turn;
import dev.xlstm.cli.console.ColorMode;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.MachineMemory;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.ByteSizeConverter;
import dev.xlstm.cli.options.GrammarFlags;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.MultiValue;
import dev.xlstm.cli.options.SamplingFlags;
import dev.xlstm.cli.options.UsageErrors;
import dev.xlstm.cli.output.OutputOptions;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.grammar.Grammar;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xlstm chat}. */
@Command(
        name = "chat",
        description = "Chats with a model. Every turn can be undone and forked; /help lists the commands.",
        optionListHeading = "%nOther options:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm chat",
            "  xlstm chat --continue",
            "  cat notes.md | xlstm chat",
            "  git diff | xlstm chat --once \"What does this change?\"",
            "  xlstm chat --once \"Name a cat.\" --num-samples 3 --json",
        })
public final class ChatCommand implements Callable<Integer> {

    private static final int MAX_TOKENS = 1024;

    @ArgGroup(validate = false, heading = "%nConversation:%n")
    private Talk talk = new Talk();

    static final class Talk {
        @Option(
                names = {"-s", "--system"},
                paramLabel = "TEXT",
                description = "System prompt.")
        private String system;

        @Option(
                names = "--state",
                paramLabel = "FILE",
                description =
                        "Begin in the state of this file, after the text it was made from: /undo and /reset do not go back"
                                + " before it.")
        private Path state;

        @Option(
                names = "--once",
                paramLabel = "QUESTION",
                description =
                        "Print the answer to one question and end; nothing is saved. Text from a pipe comes before"
                                + " the question.")
        private String once;

        @Option(
                names = {"-c", "--continue"},
                paramLabel = "ID",
                arity = "0..1",
                fallbackValue = "",
                description = "Continue a saved session, by id or name; without ID the last one.")
        private String resumed;

        @Option(names = "--no-history", fallbackValue = "true", description = "Do not save the lines typed.")
        private boolean noHistory;

        @Option(
                names = "--snapshot-memory",
                paramLabel = "SIZE",
                converter = ByteSizeConverter.class,
                description =
                        "Memory for snapshots of earlier turns, as 512M or 2G; more are on disk. Default: a quarter of the"
                                + " free memory")
        private Long snapshotMemory;

        @Option(
                names = "--snapshot-disk",
                paramLabel = "SIZE",
                converter = ByteSizeConverter.class,
                description =
                        "Disk for snapshots; beyond it the oldest are deleted, and computed again when they are needed."
                                + " Default: 4G")
        private long snapshotDisk = 4L << 30;

        @Option(
                names = {"-n", "--max-tokens"},
                paramLabel = "N",
                description = "Tokens of an answer at most; -1 for no limit. Default: 1024")
        private int maxTokens = MAX_TOKENS;

        @Option(
                names = "--stop",
                paramLabel = "TEXT",
                split = MultiValue.SEPARATOR,
                hideParamSyntax = true,
                description = "Also end answers before TEXT. May be given several times.")
        private List<String> stop = List.of();
    }

    private final SamplingFlags sampling = new SamplingFlags();

    @ArgGroup(validate = false, heading = "%nConstraints, with --once:%n", order = 1)
    private GrammarFlags constraint = new GrammarFlags();

    @ArgGroup(validate = false, heading = "%nOutput, with --once:%n", order = 2)
    private OutputOptions output = new OutputOptions();

    @Mixin
    private ModelOptions model;

    private CommandSpec spec;

    private final Streams streams;
    private final Interruption interruption;
    private final Supplier<ColorMode> color;

    /** @param color the mode that the command line asks for, known when the command runs */
    public ChatCommand(Streams streams, Interruption interruption, Supplier<ColorMode> color) {
        this.color = color;
        this.streams = streams;
        this.interruption = interruption;
    }

    /** Opens a saved session with the model at hand. */
    interface SessionOpener {
        ChatSession open(Path directory) throws IOException;
    }

    @Spec
    void setSpec(CommandSpec command) {
        spec = command;
        sampling.addTo(command, "%nSampling, in this order:%n", 0);
    }

    @Override
    public Integer call() throws IOException {
        GenerationOptions options = options();
        if (talk.once != null && talk.resumed != null) {
            throw new ParameterException(spec.commandLine(), "--once saves nothing: it does not go with --continue");
        }
        if (talk.resumed != null && (talk.state != null || talk.system != null)) {
            throw new ParameterException(
                    spec.commandLine(),
                    (talk.state != null ? "--state" : "--system")
                            + " begins a conversation: it does not go with --continue");
        }
        if (talk.once == null && !(streams.inIsTerminal() && streams.outIsTerminal())) {
            throw new ParameterException(
                    spec.commandLine(), "no terminal to talk on; --once \"question\" answers without one");
        }
        output.check(spec);
        if (talk.once == null && (constraint.given() || output.json() || output.jsonl() || output.samples() > 1)) {
            throw new ParameterException(spec.commandLine(), "constraints and output formats need --once");
        }
        Grammar grammar = constraint.read(spec, streams, output.verbosity().quiet());
        SessionStore store = SessionStore.ofUser(System.getenv());
        Path saved = talk.resumed == null ? null : store.find(talk.resumed);
        String heldWith = saved == null ? null : ConversationFile.open(saved).model();
        try (TextModel opened = model.open(streams, output.verbosity().quiet(), heldWith)) {
            GenerationOptions recommended = options.withSampling(
                    sampling.options(opened, options.sampling().seed(), spec));
            return talk.once != null ? once(opened, recommended, grammar) : talk(opened, recommended, store, saved);
        }
    }

    private GenerationOptions options() {
        return UsageErrors.checked(
                spec,
                () -> GenerationOptions.defaults()
                        .withSampling(sampling.options())
                        .withMaxTokens(talk.maxTokens)
                        .withStop(talk.stop));
    }

    private ChatSession.SnapshotBudget budget() {
        long memory = talk.snapshotMemory == null ? MachineMemory.free() / 4 : talk.snapshotMemory;
        return new ChatSession.SnapshotBudget(memory, talk.snapshotDisk);
    }

    private ChatSession.Beginning beginning() {
        return new ChatSession.Beginning(talk.state, talk.system);
    }

    private int once(TextModel opened, GenerationOptions options, Grammar grammar) throws IOException {
        GenerationListener listener = new GenerationListener() {
            @Override
            public boolean cancelled() {
                return interruption.requested();
            }
        };
        interruption.begin();
        try (ChatSession session = ChatSession.temporary(opened, beginning(), budget())) {
            if (!streams.inIsTerminal()) {
                prime(session, new InputStreamReader(streams.in(), StandardCharsets.UTF_8), listener);
            }
            Conversation conversation = session.conversation();
            GenerationOptions constrained =
                    options.withGrammar(constraint.compile(grammar, opened, conversation.stopIds(options), spec));
            return new OnceAnswer(streams, interruption, output, model.threads())
                    .print(conversation, talk.once, constrained);
        } finally {
            interruption.end();
        }
    }

    /** Reads standard input as a document, unless it is empty. */
    private static void prime(ChatSession session, Reader text, GenerationListener listener) throws IOException {
        Reader buffered = new BufferedReader(text);
        buffered.mark(1);
        if (buffered.read() >= 0) {
            buffered.reset();
            session.conversation().read("standard input", buffered, listener);
        }
    }

    private int talk(TextModel opened, GenerationOptions options, SessionStore store, Path saved) throws IOException {
        ChatSettings settings = new ChatSettings(options);
        SessionOpener opener = directory -> ChatSession.resume(opened, budget(), directory);
        ChatSession session =
                saved == null ? ChatSession.begin(opened, beginning(), budget(), store) : opener.open(saved);
        try (ChatTerminal terminal = new ChatTerminal(color.get());
                TurnRunner turns = new TurnRunner(terminal, settings, session)) {
            Path history = talk.noHistory ? null : store.history();
            ChatCommands commands = new ChatCommands(terminal, settings, store, opener, turns);
            greet(terminal, session, saved != null);
            // the launcher has moved a pipe here to read keys from the terminal
            String pipe = System.getProperty("xlstm.pipe", "");
            if (!pipe.isEmpty()) {
                try (InputStream in = new FileInputStream(pipe)) {
                    turns.read("standard input", new InputStreamReader(in, StandardCharsets.UTF_8));
                }
            }
            new ChatRepl(terminal, turns, commands, store, history).run();
            if (history != null) {
                SessionStore.protect(history, "rw-------");
            }
        }
        return ExitCode.OK;
    }

    private static void greet(ChatTerminal terminal, ChatSession session, boolean continued) {
        String name =
                session.conversation().model().directory().path().getFileName().toString();
        terminal.note(
                name + " · " + (continued ? "session " + session.id() + " continues" : "/help shows the commands"));
        if (session.conversation().template().isPlain()) {
            terminal.note("note: this is a base model without a chat template; it continues a script of User and"
                    + " Assistant and may not keep to it");
        }
        if (continued) {
            Turn head = session.conversation().head();
            if (head.kind() == Turn.Kind.EXCHANGE) {
                terminal.note("> " + head.text().strip());
                terminal.prose(head.answer().text());
            }
        }
    }
}
