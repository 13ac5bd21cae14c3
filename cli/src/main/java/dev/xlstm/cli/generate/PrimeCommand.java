package dev.xlstm.cli.generate;

import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.PromptOptions;
import dev.xlstm.cli.options.PromptReader;
import dev.xlstm.cli.options.StateFormat;
import dev.xlstm.cli.options.VerbosityOptions;
import dev.xlstm.cli.output.PrefillProgress;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm prime}. */
@Command(
        name = "prime",
        description = "Reads a prompt once and saves the state after it, for any number of continuations.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm prime -f manual.txt -o manual.state",
            "  xlstm generate --state manual.state \"Question: how is it switched off? Answer:\"",
        })
public final class PrimeCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "PROMPT",
            description =
                    "The text to read. Appended to the text of -f or of a pipe, after a blank line; - reads standard"
                            + " input.")
    private String prompt;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "The state file to write. An existing file is replaced once the new one is complete.")
    private Path output;

    @ArgGroup(validate = false, heading = "%nInput:%n")
    private PromptOptions input = new PromptOptions();

    @Mixin
    private StateFormat format;

    @Mixin
    private VerbosityOptions told;

    @Mixin
    private ModelOptions model;

    @Spec
    private CommandSpec spec;

    private final Streams streams;
    private final Interruption interruption;

    public PrimeCommand(Streams streams, Interruption interruption) {
        this.streams = streams;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws IOException {
        StateFormat.check(output, spec);
        boolean stats = told.stats(streams);
        try (PromptReader text = input.open(prompt, told.quiet(), streams, spec);
                TextModel opened = model.open(streams, told.quiet());
                TextSession session = input.state() == null ? opened.newSession() : opened.resume(input.state())) {
            interruption.begin();
            try {
                long start = System.nanoTime();
                long before = session.position();
                if (!read(session, text, stats ? opened.directory().trainingContext() : 0)) {
                    return ExitCode.INTERRUPTED;
                }
                format.save(session, output);
                if (stats) {
                    double seconds = (System.nanoTime() - start) * 1e-9;
                    long tokens = session.position() - before;
                    streams.message(String.format(
                            Locale.ROOT, "read %d tokens in %.2f s (%.1f/s)", tokens, seconds, tokens / seconds));
                }
                return ExitCode.OK;
            } finally {
                interruption.end();
            }
        }
    }

    private boolean read(TextSession session, PromptReader text, int trainingContext) throws IOException {
        PrefillProgress progress = new PrefillProgress(streams, session, !told.quiet(), trainingContext) {
            @Override
            public boolean cancelled() {
                return interruption.requested();
            }
        };
        try (progress) {
            return session.feed(text, progress);
        }
    }
}
