package dev.xlstm.cli.options;

import dev.xlstm.cli.console.Streams;
import picocli.CommandLine.Option;

/** How much is said on stderr besides errors. */
public final class VerbosityOptions {

    @Option(
            names = "--stats",
            fallbackValue = "true",
            description =
                    "Show tokens, seconds and seed on stderr. Default where that is a terminal; only if asked for,"
                            + " generate also measures how fast the weights could be read, for half a second.")
    private boolean stats;

    @Option(
            names = {"-q", "--quiet"},
            fallbackValue = "true",
            description = "Show nothing but the text and errors.")
    private boolean quiet;

    public boolean quiet() {
        return quiet;
    }

    /** Whether statistics were asked for. */
    public boolean statsAsked() {
        return stats;
    }

    /** Whether to show statistics. */
    public boolean stats(Streams streams) {
        return stats || streams.errIsTerminal() && !quiet;
    }
}
