package dev.xlstm.cli.options;

import dev.xlstm.cli.console.Streams;
import picocli.CommandLine.Option;

/** What to print on stderr besides errors. */
public final class VerbosityOptions {

    @Option(
            names = "--stats",
            fallbackValue = "true",
            description =
                    "Print token counts, speed and seed on stderr; the default if stderr is a terminal. With an explicit"
                            + " --stats, generate also measures the memory bandwidth for half a second.")
    private boolean stats;

    @Option(
            names = {"-q", "--quiet"},
            fallbackValue = "true",
            description = "Print only the text and errors.")
    private boolean quiet;

    public boolean quiet() {
        return quiet;
    }

    /** Whether --stats was given. */
    public boolean statsRequested() {
        return stats;
    }

    /** Whether to print statistics. */
    public boolean stats(Streams streams) {
        return stats || streams.errIsTerminal() && !quiet;
    }
}
