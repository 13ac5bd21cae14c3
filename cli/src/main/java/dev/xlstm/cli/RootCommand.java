package dev.xlstm.cli;

import dev.xlstm.cli.console.ColorMode;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code xlstm} itself: the options of all commands. */
@Command(
        name = "xlstm",
        description = "Writes text with recurrent xLSTM language models.",
        versionProvider = RootCommand.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm generate \"Once upon a time\"",
            "  git diff | xlstm generate -n 60 \"In short, this change\"",
            "  xlstm inspect --model ~/models/xLSTM-7b",
            "",
            "Without --model the model is the small one that comes along. This and other defaults are yours to set: xlstm"
                    + " help config.",
        })
public final class RootCommand implements Callable<Integer> {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            order = 100,
            description = "Show this help.")
    boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            order = 101,
            description = "Show the version.")
    boolean version;

    @Option(
            names = "--color",
            paramLabel = "WHEN",
            scope = ScopeType.INHERIT,
            order = 98,
            description = "Colours: auto (on a terminal, unless NO_COLOR is set), always or never.")
    public ColorMode color = ColorMode.AUTO;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            order = 99,
            fallbackValue = "true",
            description = "On failure show the stack trace, too.")
    boolean debug;

    private final Streams streams;

    @Spec
    private CommandSpec spec;

    RootCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        streams.err().println(spec.commandLine().getUsageMessage().stripTrailing());
        return ExitCode.USAGE;
    }

    /** The project's version, as the build wrote it. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            try (InputStream in = RootCommand.class.getResourceAsStream("version.txt")) {
                return new String[] {"xlstm " + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip()};
            }
        }
    }
}
