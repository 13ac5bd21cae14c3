package dev.xlstm.cli;

import dev.xlstm.generation.Completion;
import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.Gatherer;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.grammar.Grammar;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
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
import tools.jackson.core.JsonGenerator;

/** {@code xlstm generate}. */
@Command(
        name = "generate",
        description = "Continues a text.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm generate \"Once upon a time\"",
            "  xlstm generate -f story.txt -n -1 --stop \"THE END\" >> story.txt",
            "  cat notes.txt | xlstm generate -t 0 \"In one sentence:\"",
            "  xlstm generate --num-samples 4 --json \"A name for a cat:\"",
            "  xlstm generate --prompt-ids 5,9,2 -n 32 --ignore-eos --json",
        })
final class GenerateCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "PROMPT",
            description = "The text to continue. Comes after that of -f or of a pipe, with a blank line between them. -"
                    + " reads standard input.")
    private String prompt;

    @ArgGroup(validate = false, heading = "%nInput:%n")
    private Input input = new Input();

    static final class Input {
        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "Read the prompt from FILE; a line feed at its end is not part of it. A pipe is then not"
                        + " read.")
        private String file;

        @Option(
                names = "--prompt-ids",
                paramLabel = "IDS",
                description = "The prompt as token ids, taken as they are, separated by commas or blanks.")
        private String ids;
    }

    @ArgGroup(validate = false, heading = "%nLength:%n")
    private Length length = new Length();

    static final class Length {
        @Option(
                names = {"-n", "--max-tokens"},
                paramLabel = "N",
                description = "Tokens to generate at most; -1 for no limit. Default: 256")
        private int maxTokens = GenerationOptions.defaults().maxTokens();

        @Option(names = "--stop", paramLabel = "TEXT", description = "End before TEXT. May be given several times.")
        private List<String> stop = List.of();

        @Option(
                names = "--stop-id",
                paramLabel = "ID",
                description = "End before this token, too. May be given several times.")
        private List<Integer> stopIds = List.of();

        @Option(names = "--ignore-eos", description = "Go on after the model's end of text.")
        private boolean ignoreEos;
    }

    @ArgGroup(validate = false, heading = "%nSampling:%n")
    private SamplingFlags sampling = new SamplingFlags();

    @ArgGroup(validate = false, heading = "%nConstraints:%n")
    private GrammarFlags constraint = new GrammarFlags();

    @ArgGroup(validate = false, heading = "%nOutput:%n")
    private Output output = new Output();

    static final class Output {
        @Option(
                names = "--num-samples",
                paramLabel = "N",
                description =
                        "Continue the text N times, at once, with seeds counted on from the first. Each comes under a"
                                + " line with its number and seed; with --json all in one array.")
        private int samples = 1;

        @Option(names = "--echo", description = "Print the prompt before its continuation.")
        private boolean echo;

        @Option(names = "--json", description = "Print one JSON object when done, instead of the text.")
        private boolean json;

        @Option(
                names = "--stats",
                description = "Show tokens, seconds and seed on stderr. Default where that is a terminal.")
        private boolean stats;

        @Option(
                names = {"-q", "--quiet"},
                description = "Show nothing but the text and errors.")
        private boolean quiet;
    }

    @Mixin
    private ModelOptions model;

    @Spec
    private CommandSpec spec;

    private final Streams streams;
    private final Interruption interruption;
    private String device; // that computed

    GenerateCommand(Streams streams, Interruption interruption) {
        this.streams = streams;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws IOException {
        if (output.samples < 1) {
            throw new ParameterException(spec.commandLine(), "--num-samples must be at least 1, not " + output.samples);
        }
        GenerationOptions given = options();
        Grammar grammar = constraint.read(spec);
        int[] givenIds = promptIds();
        String text = givenIds == null ? new TextInput(streams, spec, input.file, prompt).joined() : null;
        try (TextModel opened = model.open();
                TextSession session = opened.newSession()) {
            device = opened.loaded().device();
            GenerationOptions options = given.withSampling(
                            sampling.options(opened, given.sampling().seed(), spec))
                    .withGrammar(constraint.compile(grammar, opened, given.stopIds(), spec));
            int[] ids = text == null ? givenIds : opened.encodePrompt(text);
            String echo = output.echo ? text == null ? decode(opened, ids) : text : "";
            interruption.begin();
            try {
                if (output.samples > 1) {
                    return samples(opened, session, ids, echo, options);
                }
                return output.json ? json(session, ids, options) : plain(session, ids, echo, options);
            } finally {
                interruption.end();
            }
        }
    }

    /** Several continuations, in the order of their seeds. */
    private int samples(TextModel opened, TextSession session, int[] ids, String echo, GenerationOptions options)
            throws IOException {
        Stream stream = new Stream(session.hasText());
        if (!session.feed(ids, stream)) {
            return Cli.INTERRUPTED;
        }
        List<Completion> completions = SampleRun.run(opened, session, options, output.samples, interruption);
        if (output.json) {
            JsonOutput.printArray(
                    streams,
                    completions.size(),
                    (json, i) -> fields(json, completions.get(i), SampleRun.seeded(options, i)));
        }
        for (int i = 0; i < completions.size(); i++) {
            GenerationOptions seeded = SampleRun.seeded(options, i);
            Completion completion = completions.get(i);
            if (!output.json) {
                String text = completion.text() == null ? IdList.format(completion.ids()) : completion.text();
                long seed = seeded.sampling().seed();
                stream.text((i == 0 ? "" : "\n") + "==> " + (i + 1) + " of " + output.samples + ", seed " + seed
                        + " <==\n" + echo + text);
                stream.end();
            }
            warnIfCutOff(completion.outcome(), seeded);
            stats(completion.outcome(), seeded);
        }
        return completions.size() < output.samples
                ? Cli.INTERRUPTED
                : exitCode(completions.getLast().outcome());
    }

    private GenerationOptions options() {
        try {
            Set<Integer> stopIds = new LinkedHashSet<>(length.stopIds);
            return new GenerationOptions(
                    sampling.options(), length.maxTokens, length.stop, stopIds, length.ignoreEos, null);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private int[] promptIds() {
        if (input.ids == null) {
            return null;
        }
        if (prompt != null || input.file != null) {
            throw new ParameterException(spec.commandLine(), "--prompt-ids takes no other prompt beside it");
        }
        try {
            return IdList.parse(input.ids);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--prompt-ids: " + e.getMessage(), e);
        }
    }

    private static String decode(TextModel model, int[] ids) {
        return model.tokenizer().map(tokenizer -> tokenizer.decode(ids)).orElse("");
    }

    /** Streams the text; one that does not end in a line feed gets one. */
    private int plain(TextSession session, int[] ids, String echo, GenerationOptions options) {
        Stream stream = new Stream(session.hasText());
        stream.text(echo);
        session.feed(ids, stream);
        Outcome outcome = session.generate(options, stream);
        stream.end();
        warnIfCutOff(outcome, options);
        stats(outcome, options);
        return exitCode(outcome);
    }

    /** Prints as it comes: text, or ids separated by blanks for a model without a tokenizer. */
    private final class Stream implements GenerationListener {
        private final boolean hasText;
        private boolean inLine;

        Stream(boolean hasText) {
            this.hasText = hasText;
        }

        @Override
        public void text(String piece) {
            if (!piece.isEmpty()) {
                streams.printUntrusted(piece);
                inLine = !piece.endsWith("\n");
            }
        }

        @Override
        public void token(int id, float[] logits) {
            if (!hasText) {
                streams.print(inLine ? " " + id : Integer.toString(id));
                inLine = true;
            }
        }

        @Override
        public boolean cancelled() {
            return interruption.requested();
        }

        void end() {
            if (inLine) {
                streams.print("\n");
            }
        }
    }

    private int json(TextSession session, int[] ids, GenerationOptions options) {
        Gatherer gatherer = new Gatherer() {
            @Override
            public boolean cancelled() {
                return interruption.requested();
            }
        };
        session.feed(ids, gatherer);
        Outcome outcome = session.generate(options, gatherer);
        Completion completion = new Completion(gatherer.ids(), session.hasText() ? gatherer.text() : null, outcome);
        JsonOutput.print(streams, json -> fields(json, completion, options));
        warnIfCutOff(outcome, options);
        stats(outcome, options);
        return exitCode(outcome);
    }

    private void warnIfCutOff(Outcome outcome, GenerationOptions options) {
        if (!outcome.grammarComplete() && !output.quiet) {
            streams.message("xlstm: warning: the text is cut off, the grammar was not finished (end: "
                    + outcome.finishReason()
                    + (outcome.finishReason() == FinishReason.LENGTH
                            ? ", -n " + options.maxTokens() + " is too small for it)"
                            : ")"));
        }
    }

    private void fields(JsonGenerator json, Completion completion, GenerationOptions options) {
        Outcome outcome = completion.outcome();
        JsonOutput.ids(json, "token_ids", completion.ids());
        JsonOutput.text(json, "text", completion.text());
        json.writeStringProperty("finish_reason", outcome.finishReason().toString());
        if (constraint.given()) {
            json.writeBooleanProperty("grammar_complete", outcome.grammarComplete());
        }
        if (outcome.stop() != null) {
            json.writeStringProperty("stop", outcome.stop());
        }
        json.writeNumberProperty("seed", options.sampling().seed());
        json.writeStringProperty("device", device);
        json.writeObjectPropertyStart("usage");
        json.writeNumberProperty("prompt_tokens", outcome.promptTokens());
        json.writeNumberProperty("completion_tokens", outcome.tokens());
        json.writeNumberProperty("total_tokens", outcome.promptTokens() + outcome.tokens());
        json.writeEndObject();
        json.writeObjectPropertyStart("timings");
        json.writeNumberProperty("prefill_seconds", outcome.prefillSeconds());
        json.writeNumberProperty("prefill_tokens_per_second", outcome.prefillRate());
        json.writeNumberProperty("decode_seconds", outcome.decodeSeconds());
        json.writeNumberProperty("decode_tokens_per_second", outcome.decodeRate());
        json.writeEndObject();
    }

    private void stats(Outcome outcome, GenerationOptions options) {
        if (output.stats || streams.errIsTerminal() && !output.quiet) {
            streams.message(String.format(
                    Locale.ROOT,
                    "prefill %d tokens in %.2f s (%.1f/s), decode %d tokens in %.2f s (%.1f/s), end: %s, seed %d, on %s",
                    outcome.promptTokens(),
                    outcome.prefillSeconds(),
                    outcome.prefillRate(),
                    outcome.tokens(),
                    outcome.decodeSeconds(),
                    outcome.decodeRate(),
                    outcome.finishReason(),
                    options.sampling().seed(),
                    device));
        }
    }

    private static int exitCode(Outcome outcome) {
        return outcome.finishReason() == FinishReason.INTERRUPTED ? Cli.INTERRUPTED : Cli.OK;
    }
}
