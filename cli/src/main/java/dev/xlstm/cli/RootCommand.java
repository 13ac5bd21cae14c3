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

/** {@code xlstm}: the options that all commands have. */
@Command(
        name = "xlstm",
        description = "Generates text with xLSTM recurrent language models.",
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
            "Without --model, xlstm uses its small demo model. To change this and other defaults, see xlstm help config.",
        })
final class RootCommand implements Callable<Integer> {

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
            description = "When to use colours: auto (on a terminal unless NO_COLOR is set), always or never.")
    ColorMode color = ColorMode.AUTO;

    @Option(
            names = "--debug",
            scope = ScopeType.INHERIT,
            order = 99,
            fallbackValue = "true",
            description = "On failure, also show the stack trace.")
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

    /** Reads the version that the build wrote. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() throws IOException {
            try (InputStream in = RootCommand.class.getResourceAsStream("version.txt")) {
                return new String[] {"xlstm " + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip()};
            }
        }
    }
}
