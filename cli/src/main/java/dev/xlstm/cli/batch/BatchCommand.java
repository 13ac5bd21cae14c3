package dev.xlstm.cli.batch;

import dev.xlstm.cli.console.CliLimits;
import dev.xlstm.cli.console.ErrorText;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.ProgressBar;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.GrammarFlags;
import dev.xlstm.cli.options.LengthFlags;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.SamplingFlags;
import dev.xlstm.cli.options.TextInput;
import dev.xlstm.cli.options.UsageErrors;
import dev.xlstm.cli.output.CollectedJson;
import dev.xlstm.cli.output.TokenProbabilities;
import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.OrderedTasks;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextModel;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.request.GenerationRequest;
import dev.xlstm.request.RequestRunner;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.IntNode;

/** {@code xlstm batch}. */
@Command(
        name = "batch",
        description = {
            "Continues many texts, several at once.",
            "",
            "Reads one JSON object a line, with \"prompt\", \"prompt_ids\" or \"messages\". Optional fields: \"id\","
                    + " \"state\" (a saved text to continue), \"max_tokens\", \"stop\", \"stop_ids\", \"ignore_eos\","
                    + " \"grammar\" (GBNF), \"json_schema\", \"logprobs\", \"seed\", \"logit_bias\", \"samplers\", and"
                    + " the sampling options below with _ for -, such as \"top_k\". A field that is null counts as not"
                    + " given. Lines of OpenAI's batch files (\"custom_id\", \"body\") are read, too.",
            "Writes one JSON object a line, in the same order. A line that fails has an \"error\" field; the exit code is"
                    + " then 1."
        },
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm batch prompts.jsonl -o results.jsonl",
            "  xlstm batch prompts.jsonl -o results.jsonl --resume",
            "  jq -c '{prompt: .question}' questions.json | xlstm batch -t 0 | jq -r .text",
        })
public final class BatchCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "FILE",
            description = "The lines; - reads standard input. Default: standard input")
    private Path input = Path.of("-");

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write to FILE, which must not exist without --resume. Default: standard output")
    private Path output;

    @Option(
            names = "--resume",
            fallbackValue = "true",
            description = "Continue an interrupted run: skip lines whose ids are in the output file already.")
    private boolean resume;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Number of texts generated at once; each needs memory for a state. Default: 16")
    private int batchSize = 16;

    @Option(
            names = "--state",
            paramLabel = "FILE",
            description = "Continue the text of this state file in all lines that name no other.")
    private Path state;

    @ArgGroup(validate = false, heading = "%nLength, for lines that do not set it:%n")
    private LengthFlags length = new LengthFlags();

    @Option(
            names = {"-q", "--quiet"},
            fallbackValue = "true",
            description = "Show no progress.")
    private boolean quiet;

    @ArgGroup(validate = false, heading = "%nConstraints, for lines that do not say:%n", order = 1)
    private GrammarFlags constraint = new GrammarFlags();

    private final SamplingFlags sampling = new SamplingFlags();

    @Mixin
    private ModelOptions model;

    private CommandSpec spec;

    private final Streams streams;
    private final Interruption interruption;

    public BatchCommand(Streams streams, Interruption interruption) {
        this.streams = streams;
        this.interruption = interruption;
    }

    @Spec
    void setSpec(CommandSpec command) {
        spec = command;
        sampling.addTo(command, "%nSampling, for lines that do not set it; each line adds one to the seed:%n", 0);
    }

    @Override
    public Integer call() throws IOException {
        if (batchSize < 1 || batchSize > 256) {
            throw new ParameterException(spec.commandLine(), "--batch-size must be from 1 to 256, not " + batchSize);
        }
        if (resume && output == null) {
            throw new ParameterException(spec.commandLine(), "--resume needs the output file: give -o");
        }
        if (TextInput.isStdin(input) && streams.inIsTerminal()) {
            throw new ParameterException(spec.commandLine(), "nothing to read: name a file, or use a pipe");
        }
        GenerationOptions given = defaults();
        Grammar grammar = constraint.read(spec, streams, quiet);
        long total = TextInput.isStdin(input) ? 0 : countLines(input);
        try (BoundedLineReader reader = open();
                TextModel opened = model.open(streams, quiet);
                BatchOutput results =
                        output == null ? BatchOutput.stdout(streams) : BatchOutput.file(streams, output, resume);
                ProgressBar bar = new ProgressBar(streams, "batch")) {
            GenerationRequest defaults = GenerationRequest.defaults(
                    given.withSampling(
                            sampling.lineDefaults(opened, given.sampling().seed(), spec)),
                    grammar);
            interruption.begin();
            try {
                return run(new Lines(reader, defaults, results), opened, results, bar, total);
            } finally {
                interruption.end();
            }
        } catch (UncheckedIOException e) {
            if (e instanceof Streams.OutputException) {
                throw e;
            }
            throw e.getCause();
        }
    }

    private GenerationOptions defaults() {
        return UsageErrors.checked(
                spec, () -> length.applyTo(GenerationOptions.defaults().withSampling(sampling.options())));
    }

    private BoundedLineReader open() throws IOException {
        InputStream bytes =
                TextInput.isStdin(input) ? quiet ? streams.in() : streams.announcedIn() : Files.newInputStream(input);
        return new BoundedLineReader(new InputStreamReader(bytes, StandardCharsets.UTF_8), CliLimits.LINE_CHARS);
    }

    /** The number of lines that are not blank, for the progress bar. */
    private long countLines(Path path) throws IOException {
        if (quiet || !streams.errIsTerminal()) {
            return 0;
        }
        long count = 0;
        try (BoundedLineReader reader = open()) {
            for (String line = reader.next(); line != null; line = reader.next()) {
                count += line.isBlank() ? 0 : 1;
            }
        }
        return count;
    }

    private int run(Lines lines, TextModel opened, BatchOutput results, ProgressBar bar, long total)
            throws IOException {
        RequestRunner runner = new RequestRunner(opened);
        Iterator<Callable<BatchResult>> tasks = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return lines.hasNext();
            }

            @Override
            public Callable<BatchResult> next() {
                BatchLine line = lines.next();
                return () -> result(line, runner, opened.tokenizer().orElse(null));
            }
        };
        Summary summary = new Summary(results.finishedCount());
        OrderedTasks.run(tasks, batchSize, result -> {
            if (result == null) {
                summary.interrupted = true;
                return false;
            }
            results.write(result.json());
            summary.add(result);
            if (total > 0) {
                bar.show(summary.lines(), total, summary.lines() + " of " + total + " texts");
            }
            return true;
        });
        bar.close();
        if (summary.failed > 0 || !quiet) {
            streams.message("xlstm: " + summary);
        }
        return summary.exitCode();
    }

    /** How the run went. */
    private static final class Summary {
        private final long before; // lines with results of an earlier run
        private long written;
        private long failed;
        private String firstError;
        private boolean interrupted;

        Summary(long before) {
            this.before = before;
        }

        void add(BatchResult result) {
            if (result.error() == null) {
                written++;
            } else {
                failed++;
                firstError = firstError == null ? result.error() : firstError;
            }
        }

        long lines() {
            return before + written + failed;
        }

        int exitCode() {
            return interrupted ? ExitCode.INTERRUPTED : failed > 0 ? ExitCode.FAILURE : ExitCode.OK;
        }

        @Override
        public String toString() {
            return "batch" + (interrupted ? " interrupted: " : ": ") + written + " generated"
                    + (before > 0 ? ", " + before + " done before" : "")
                    + (failed > 0 ? ", " + failed + " failed, the first: " + firstError : "");
        }
    }

    /** The result of a line; null if it was interrupted. */
    private BatchResult result(BatchLine line, RequestRunner runner, Tokenizer tokenizer) {
        if (isCancelled()) {
            return null;
        }
        if (line.error() != null) {
            return BatchResult.failed(line, line.error());
        }
        CollectedJson collected = new CollectedJson(
                new TokenProbabilities(tokenizer, line.request().logprobs())) {
            @Override
            public boolean cancelled() {
                return isCancelled();
            }
        };
        try {
            Outcome outcome = runner.run(line.request(), line.state(), collected);
            return outcome.finishReason() == FinishReason.INTERRUPTED ? null : BatchResult.of(line, collected, outcome);
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            return BatchResult.failed(line, ErrorText.describe(e));
        }
    }

    /** Whether the user stopped the run, or another text failed in a way that ends it. */
    private boolean isCancelled() {
        return interruption.requested() || Thread.currentThread().isInterrupted();
    }

    /** The lines without a result. */
    private final class Lines implements Iterator<BatchLine> {
        private final BoundedLineReader reader;
        private final GenerationRequest defaults;
        private final BatchOutput results;
        private final Set<String> ids = new HashSet<>(); // as JSON
        private int number;
        private BatchLine next;

        Lines(BoundedLineReader reader, GenerationRequest defaults, BatchOutput results) {
            this.reader = reader;
            this.defaults = defaults;
            this.results = results;
        }

        @Override
        public boolean hasNext() {
            try {
                while (next == null) {
                    String line = reader.next();
                    if (line == null) {
                        return false;
                    }
                    number++;
                    if (line == BoundedLineReader.TOO_LONG) {
                        take(BatchLine.failed(IntNode.valueOf(number), "line " + number + ": is " + line));
                    } else if (!line.isBlank()) {
                        take(BatchLine.parse(line, number, defaults, state));
                    }
                }
                return true;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void take(BatchLine line) {
            JsonNode id = line.id();
            if (!ids.add(id.toString())) {
                // its own id would belong to the other line's result
                line = BatchLine.failed(
                        JsonMapper.shared().valueToTree("line " + number),
                        "line " + number + ": the id " + id + " occurs in an earlier line");
            }
            next = results.isFinished(line.id()) ? null : line;
        }

        @Override
        public BatchLine next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            BatchLine line = next;
            next = null;
            return line;
        }
    }
}
