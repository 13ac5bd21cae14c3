package dev.xlstm.cli.model;

import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.IdList;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.TextInput;
import dev.xlstm.generation.LineScorer;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.generation.WindowedPerplexity;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xlstm score}. */
@Command(
        name = "score",
        description = {
            "Computes the log-probability of each token of a text, and the perplexity.",
            "",
            "Prints a line per token: its id, the natural logarithm of its probability given the tokens before it, and the"
                    + " token. The last line is the perplexity.",
            "",
            "With --lines, prints how surprising each line of a text is, while the text arrives: its number, tokens, bits,"
                    + " bits a token and bits a character, as columns separated by tabs."
        },
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm score \"The cat sat on the mat.\"",
            "  xlstm score -f held-out.txt | tail -1",
            "  xlstm score --ids-file ids.txt --json",
            "  journalctl -f | xlstm score --lines",
            "  xlstm score --lines --top 20 -f server.log | tail -20",
        })
public final class ScoreCommand implements Callable<Integer> {

    @Parameters(arity = "0..1", paramLabel = "TEXT", description = "The text; - reads standard input.")
    private String text;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Read the whole text of FILE.")
    private Path file;

    @Option(
            names = "--ids-file",
            paramLabel = "FILE",
            description = "Read token ids, separated by commas or white space; used as given; - reads standard input.")
    private Path idsFile;

    @Option(
            names = "--json",
            fallbackValue = "true",
            description = "Print one JSON object; with --lines, one for each line.")
    private boolean json;

    @Option(
            names = "--lines",
            fallbackValue = "true",
            description = "Score a text of any length line by line, each line after all text before it.")
    private boolean lines;

    @Option(
            names = "--each",
            fallbackValue = "true",
            description = "With --lines: score each line by itself, after the same beginning.")
    private boolean each;

    @Option(
            names = "--state",
            paramLabel = "FILE",
            description = "With --lines: begin after the text of this state file.")
    private Path state;

    @Option(
            names = "--top",
            paramLabel = "K",
            description = "With --lines: at the end list the K lines with the most bits a token.")
    private int top;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Print the perplexity over windows of N tokens alone, each read from an empty state.")
    private int context;

    @Option(
            names = "--stride",
            paramLabel = "N",
            description = "With --context: tokens from one window to the next. Default: half a window")
    private int stride;

    @Mixin
    private ModelOptions model;

    @Spec
    private CommandSpec spec;

    private final Streams streams;

    public ScoreCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        check();
        if (lines) {
            return scoreLines();
        }
        if (idsFile != null && (text != null || file != null)) {
            throw new ParameterException(spec.commandLine(), "give --ids-file or another text, not both");
        }
        int[] ids = idsFile == null ? null : readIds();
        String input = idsFile == null ? new TextInput(streams, spec, file, text).exact() : null;
        try (TextModel opened = model.open(streams, false);
                TextSession session = opened.newSession()) {
            if (ids == null) {
                ids = opened.encodePrompt(input);
            }
            if (ids.length == 0) {
                throw new ParameterException(spec.commandLine(), "there are no tokens to score");
            }
            if (context > 0) {
                printWindowed(opened, ids);
                return ExitCode.OK;
            }
            double[] logprobs = new double[ids.length];
            session.session().score(ids, (index, logprob) -> logprobs[index] = logprob);
            if (json) {
                printJson(ids, logprobs);
            } else {
                printLines(opened, ids, logprobs);
            }
            return ExitCode.OK;
        }
    }

    private void check() {
        if (!lines && (each || state != null || top != 0)) {
            throw new ParameterException(spec.commandLine(), "--each, --state and --top go with --lines");
        }
        if (lines && (idsFile != null || context != 0)) {
            throw new ParameterException(spec.commandLine(), "--lines takes a text, and no --context");
        }
        if (top < 0 || context < 0 || stride < 0 || stride > 0 && context == 0) {
            throw new ParameterException(
                    spec.commandLine(), "--top, --context and --stride are at least 1; --stride goes with --context");
        }
    }

    private int scoreLines() throws IOException {
        try (TextModel opened = model.open(streams, false);
                TextSession session = state == null ? opened.newSession() : opened.resume(state);
                Reader input = new TextInput(streams, spec, file, text).reader()) {
            LineScoreOutput output = new LineScoreOutput(streams, json, top);
            if (each) {
                LineScorer.scoreEach(session, input, output);
            } else {
                LineScorer.score(session, input, output);
            }
            output.end();
            return ExitCode.OK;
        }
    }

    private void printWindowed(TextModel opened, int[] ids) {
        WindowedPerplexity windows =
                new WindowedPerplexity(opened, context, stride == 0 ? Math.max(1, context / 2) : stride);
        windows.accept(ids);
        double perplexity = windows.finish();
        if (json) {
            JsonOutput.print(streams, out -> {
                out.writeNumberProperty("tokens", windows.tokens());
                out.writeName("perplexity");
                JsonOutput.number(out, perplexity);
            });
        } else {
            streams.print("tokens\t" + windows.tokens() + "\nperplexity\t"
                    + (Double.isNaN(perplexity) ? "-" : String.format(Locale.ROOT, "%.6f", perplexity)) + "\n");
        }
    }

    private int[] readIds() throws IOException {
        String name = TextInput.isStdin(idsFile) ? "standard input" : idsFile.toString();
        String content = TextInput.isStdin(idsFile) ? streams.readAll() : Files.readString(idsFile);
        try {
            return IdList.parse(content);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    name + ": " + e.getMessage() + "; ids are numbers, separated by commas or white space");
        }
    }

    private void printLines(TextModel opened, int[] ids, double[] logprobs) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < ids.length; i++) {
            int id = ids[i];
            lines.append(id).append('\t');
            lines.append(Double.isNaN(logprobs[i]) ? "-" : String.format(Locale.ROOT, "%.6f", logprobs[i]));
            opened.tokenizer().ifPresent(t -> lines.append('\t').append(shown(t.decode(id))));
            lines.append('\n');
        }
        double perplexity = perplexity(logprobs);
        lines.append("perplexity\t")
                .append(Double.isNaN(perplexity) ? "-" : String.format(Locale.ROOT, "%.6f", perplexity))
                .append('\n');
        streams.printUntrusted(lines.toString());
    }

    /** Escapes line feeds and tabs, so that a token stays in its column. */
    private static String shown(String token) {
        return token.replace("\\", "\\\\")
                .replace("\n", "\\n")
                .replace("\r", "\\r")
                .replace("\t", "\\t");
    }

    private void printJson(int[] ids, double[] logprobs) {
        double perplexity = perplexity(logprobs);
        JsonOutput.print(streams, out -> {
            JsonOutput.ids(out, "token_ids", ids);
            out.writeArrayPropertyStart("logprobs");
            for (double logprob : logprobs) {
                JsonOutput.number(out, logprob);
            }
            out.writeEndArray();
            out.writeName("perplexity");
            JsonOutput.number(out, perplexity);
        });
    }

    /** {@code exp(-mean)} of the log-probabilities that are not NaN; NaN if all are. */
    static double perplexity(double[] logprobs) {
        double sum = 0;
        int count = 0;
        for (double logprob : logprobs) {
            if (!Double.isNaN(logprob)) {
                sum += logprob;
                count++;
            }
        }
        return count == 0 ? Double.NaN : Math.exp(-sum / count);
    }
}
