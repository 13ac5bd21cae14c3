package dev.xlstm.cli.batch;

import dev.xlstm.cli.console.CliLimits;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.InOrder;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.ProgressBar;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.LengthFlags;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.SamplingFlags;
import dev.xlstm.cli.options.TextInput;
import dev.xlstm.cli.options.UsageErrors;
import dev.xlstm.generation.CollectingListener;
import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextBatch;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
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
import tools.jackson.databind.node.ObjectNode;

/** {@code xlstm batch}. */
@Command(
        name = "batch",
        description = {
            "Continues many texts, several at once.",
            "",
            "Reads a JSON object a line: \"prompt\" or \"prompt_ids\"; if wanted \"id\", \"state\" (a saved text to go on"
                    + " with), \"max_tokens\", \"stop\", \"stop_ids\", \"ignore_eos\", \"temperature\", \"top_k\","
                    + " \"top_p\", \"min_p\", \"repetition_penalty\", \"presence_penalty\", \"frequency_penalty\","
                    + " \"repeat_last_n\" and \"seed\". Writes one a line, in the same order; of a line that fails, its"
                    + " \"error\"."
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
        long total = TextInput.isStdin(input) ? 0 : countLines(input);
        try (BoundedLineReader reader = open();
                TextModel opened = model.open(streams, quiet);
                BatchOutput results =
                        output == null ? BatchOutput.stdout(streams) : BatchOutput.file(streams, output, resume);
                ProgressBar bar = new ProgressBar(streams, "batch")) {
            GenerationOptions defaults =
                    given.withSampling(sampling.options(opened, given.sampling().seed(), spec));
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
        InputStream bytes = TextInput.isStdin(input) ? streams.in() : Files.newInputStream(input);
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
        TextBatch batch = new TextBatch(opened);
        Iterator<Callable<ObjectNode>> tasks = new Iterator<>() {
            @Override
            public boolean hasNext() {
                return lines.hasNext();
            }

            @Override
            public Callable<ObjectNode> next() {
                BatchLine line = lines.next();
                return () -> result(line, opened, batch);
            }
        };
        boolean[] interrupted = new boolean[1];
        long[] done = {results.finishedCount()};
        InOrder.run(tasks, batchSize, result -> {
            if (result == null) {
                interrupted[0] = true;
                return false;
            }
            results.write(JsonMapper.shared().writeValueAsString(result));
            done[0]++;
            if (total > 0) {
                bar.show(done[0], total, done[0] + " of " + total + " texts");
            }
            return true;
        });
        return interrupted[0] ? ExitCode.INTERRUPTED : ExitCode.OK;
    }

    /** The result of a line; null if it was interrupted. */
    private ObjectNode result(BatchLine line, TextModel model, TextBatch batch) {
        ObjectNode result = JsonMapper.shared().createObjectNode();
        result.set("id", line.id());
        if (isCancelled()) {
            return null;
        }
        try {
            if (line.error() != null) {
                throw new IllegalArgumentException(line.error());
            }
            CollectingListener collected = new CollectingListener() {
                @Override
                public boolean cancelled() {
                    return isCancelled();
                }
            };
            Outcome outcome = generate(line, model, batch, collected);
            if (outcome.finishReason() == FinishReason.INTERRUPTED) {
                return null;
            }
            if (model.tokenizer().isPresent()) {
                result.put("text", collected.text());
            }
            result.set("token_ids", JsonMapper.shared().valueToTree(collected.ids()));
            result.put("finish_reason", outcome.finishReason().toString());
            if (outcome.stop() != null) {
                result.put("stop", outcome.stop());
            }
            result.put("seed", line.options().sampling().seed());
            result.put("prompt_tokens", outcome.promptTokens());
            result.put("completion_tokens", outcome.tokens());
        } catch (IOException | IllegalArgumentException | IllegalStateException e) {
            result.removeAll();
            result.set("id", line.id());
            result.put("error", String.valueOf(e.getMessage()));
        }
        return result;
    }

    /** Whether the user stopped the run, or another text failed in a way that ends it. */
    private boolean isCancelled() {
        return interruption.requested() || Thread.currentThread().isInterrupted();
    }

    private static Outcome generate(BatchLine line, TextModel model, TextBatch batch, CollectingListener collected)
            throws IOException {
        boolean begins = line.state() == null;
        int[] ids = line.promptIds();
        if (line.prompt() != null) { // before joining, since all members wait for each other
            ids = begins
                    ? model.encodePrompt(line.prompt())
                    : model.tokenizer()
                            .orElseThrow(() -> new IllegalStateException("the model takes ids only"))
                            .encode(line.prompt(), true);
        }
        try (TextModel member = batch.join();
                TextSession session = begins ? member.newSession() : member.resume(line.state())) {
            session.feed(ids == null ? new int[0] : ids, collected);
            return session.generate(line.options(), collected);
        }
    }

    /** The lines without a result. */
    private final class Lines implements Iterator<BatchLine> {
        private final BoundedLineReader reader;
        private final GenerationOptions defaults;
        private final BatchOutput results;
        private final Set<String> ids = new HashSet<>(); // as JSON
        private int number;
        private BatchLine next;

        Lines(BoundedLineReader reader, GenerationOptions defaults, BatchOutput results) {
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
