package dev.xlstm.cli.generate;

import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.GrammarFlags;
import dev.xlstm.cli.options.IdList;
import dev.xlstm.cli.options.LengthFlags;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.PromptOptions;
import dev.xlstm.cli.options.PromptReader;
import dev.xlstm.cli.options.SamplingFlags;
import dev.xlstm.cli.options.StateFormat;
import dev.xlstm.cli.options.UsageErrors;
import dev.xlstm.cli.options.VerbosityOptions;
import dev.xlstm.cli.output.Bandwidth;
import dev.xlstm.cli.output.GenerationOutput;
import dev.xlstm.cli.output.JsonResult;
import dev.xlstm.cli.output.OutputOptions;
import dev.xlstm.cli.output.PrefillProgress;
import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.SampleRunner;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.grammar.Grammar;
import java.io.FilterReader;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

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
            "  xlstm generate --state book.state \"Question: who did it? Answer:\"",
            "  xlstm generate --prompt-ids 5,9,2 -n 32 --ignore-eos --json",
        })
public final class GenerateCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "PROMPT",
            description = "The text to continue. Appended to the text of -f or of a pipe, after a blank line; - reads"
                    + " standard input.")
    private String prompt;

    @ArgGroup(validate = false, heading = "%nInput:%n")
    private Input input = new Input();

    static final class Input {
        @ArgGroup(validate = false)
        private PromptOptions text = new PromptOptions();

        @Option(
                names = "--prompt-ids",
                paramLabel = "IDS",
                description =
                        "The prompt as token ids, separated by commas or blanks; used as given, without a bos token.")
        private String ids;
    }

    @ArgGroup(validate = false, heading = "%nLength:%n")
    private LengthFlags length = new LengthFlags();

    private final SamplingFlags sampling = new SamplingFlags();

    @ArgGroup(validate = false, heading = "%nConstraints:%n", order = 1)
    private GrammarFlags constraint = new GrammarFlags();

    @ArgGroup(validate = false, heading = "%nOutput:%n", order = 2)
    private Output output = new Output();

    static final class Output {
        @ArgGroup(validate = false)
        private OutputOptions format = new OutputOptions();

        @Option(names = "--echo", fallbackValue = "true", description = "Print the prompt before its continuation.")
        private boolean echo;

        @Option(
                names = "--save-state",
                paramLabel = "FILE",
                description =
                        "Save the state after the text in FILE, for --state. Continuing from it gives the text of a run"
                                + " that never stopped; a grammar may be incomplete. Ctrl-C while text is generated also"
                                + " saves the state; while the prompt is read, it does not. With --num-samples: FILE.1,"
                                + " FILE.2, ...")
        private Path saveState;

        @ArgGroup(validate = false)
        private StateFormat stateFormat = new StateFormat();
    }

    @Mixin
    private ModelOptions model;

    private CommandSpec spec;

    private final Streams streams;
    private final Interruption interruption;

    public GenerateCommand(Streams streams, Interruption interruption) {
        this.streams = streams;
        this.interruption = interruption;
    }

    @Spec
    void setSpec(CommandSpec command) {
        spec = command;
        sampling.addTo(command, "%nSampling:%n", 0);
    }

    @Override
    public Integer call() throws IOException {
        checkOutput();
        GenerationOptions asked = options();
        Grammar grammar = constraint.read(spec, streams, verbosity().quiet());
        int[] ids = promptIds();
        try (Reader text = ids == null
                        ? input.text.open(prompt, verbosity().quiet(), streams, spec)
                        : Reader.nullReader();
                TextModel opened = model.open(streams, verbosity().quiet());
                TextSession session = open(opened)) {
            GenerationOptions given = withSeed(asked, session);
            GenerationOptions options = given.withSampling(
                            sampling.options(opened, given.sampling().seed(), spec))
                    .withGrammar(constraint.compile(grammar, opened, given.stopIds(), spec));
            interruption.begin();
            try {
                if (output.format.samples() > 1) {
                    return samples(opened, session, text, ids, options);
                }
                GenerationOutput printer = printer(opened, 1);
                boolean whole = prefill(opened, session, text, ids, printer);
                boolean saves = output.saveState != null;
                Outcome outcome = saves ? session.generatePart(options, printer) : session.generate(options, printer);
                GenerationOutput.Result result = result(outcome, options, opened, bandwidth(outcome, opened));
                printer.end(result, saves);
                if (saves && whole) {
                    output.stateFormat.save(session, output.saveState);
                }
                warnIfCutOff(outcome, options);
                stats(result);
                return exitCode(outcome);
            } finally {
                interruption.end();
            }
        }
    }

    /** Generates several continuations; prints them in the order of their seeds. */
    private int samples(TextModel opened, TextSession session, Reader text, int[] ids, GenerationOptions options)
            throws IOException {
        List<GenerationOutput> printers = IntStream.rangeClosed(1, output.format.samples())
                .mapToObj(i -> printer(opened, i))
                .toList();
        GenerationOutput all = new GenerationOutput(streams, interruption) {
            @Override
            public void echo(String piece) {
                (output.format.jsonl() ? printers.subList(0, 1) : printers).forEach(printer -> printer.echo(piece));
            }

            @Override
            public void text(String piece) {
                printers.forEach(printer -> printer.text(piece));
            }

            @Override
            public void end(Result result, boolean goesOn) {
                throw new AssertionError("the samples end one by one");
            }
        };
        if (!prefill(opened, session, text, ids, all)) {
            return ExitCode.INTERRUPTED;
        }
        SampleRunner.Saver saver =
                output.saveState == null ? null : (i, copy) -> output.stateFormat.save(copy, stateFile(i + 1));
        List<GenerationOutput.Result> results = new ArrayList<>();
        SampleRunner.run(opened, session, options, printers, saver, (i, outcome) -> {
            GenerationOptions seeded = SampleRunner.seeded(options, i);
            GenerationOutput.Result result = result(outcome, seeded, opened, null);
            results.add(result);
            if (!output.format.json()) {
                printers.get(i).end(result, false);
            }
            warnIfCutOff(outcome, seeded);
            stats(result);
        });
        if (output.format.json()) {
            JsonOutput.printArray(
                    streams, results.size(), (json, i) -> ((JsonResult) printers.get(i)).write(json, results.get(i)));
        }
        return exitCode(results.getLast().outcome());
    }

    private GenerationOutput.Result result(
            Outcome outcome, GenerationOptions options, TextModel opened, Bandwidth bandwidth) {
        return new GenerationOutput.Result(
                outcome,
                constraint.given(),
                options.sampling().seed(),
                opened.loaded().device(),
                bandwidth);
    }

    private Bandwidth bandwidth(Outcome outcome, TextModel opened) throws IOException {
        boolean measured = verbosity().statsRequested() && !interruption.requested();
        return Bandwidth.of(outcome, opened, model.threads(), measured);
    }

    private static int exitCode(Outcome outcome) {
        return outcome.finishReason() == FinishReason.INTERRUPTED ? ExitCode.INTERRUPTED : ExitCode.OK;
    }

    private void checkOutput() {
        output.format.check(spec);
        for (int i = 1; i <= output.format.samples(); i++) {
            StateFormat.check(stateFile(i), spec);
        }
    }

    /** The state file of a sample; null if none is saved. */
    private Path stateFile(int sample) {
        return output.saveState == null || output.format.samples() == 1
                ? output.saveState
                : Path.of(output.saveState + "." + sample);
    }

    private TextSession open(TextModel opened) throws IOException {
        return input.text.state() == null ? opened.newSession() : opened.resume(input.text.state());
    }

    /** A resumed text keeps its seed unless --seed is given. */
    private GenerationOptions withSeed(GenerationOptions given, TextSession session) {
        if (sampling.seedIsGiven() || session.seed().isEmpty()) {
            return given;
        }
        long seed = session.seed().getAsLong();
        return given.withSampling(given.sampling().withSeed(seed));
    }

    private GenerationOutput printer(TextModel opened, int sample) {
        return output.format.output(streams, interruption, opened.tokenizer(), sample);
    }

    private VerbosityOptions verbosity() {
        return output.format.verbosity();
    }

    /** Reads the prompt as it arrives; returns false if interrupted. */
    private boolean prefill(TextModel opened, TextSession session, Reader text, int[] ids, GenerationOutput printer)
            throws IOException {
        boolean shown = output.echo && streams.outIsTerminal(); // a status line would overwrite it
        int trainingContext = verbosity().stats(streams) ? opened.directory().trainingContext() : 0;
        PrefillProgress progress =
                new PrefillProgress(streams, session, !verbosity().quiet() && !shown, trainingContext) {
                    @Override
                    public boolean cancelled() {
                        return printer.cancelled();
                    }

                    @Override
                    public void text(String piece) {
                        close();
                        printer.text(piece);
                    }
                };
        try (progress) {
            if (ids != null) {
                if (output.echo) {
                    printer.echo(opened.tokenizer().map(t -> t.decode(ids)).orElse(""));
                }
                return session.feed(ids, progress);
            }
            boolean nothing = input.text.state() != null && ((PromptReader) text).isEmpty();
            return nothing || session.feed(output.echo ? echoing(text, printer) : text, progress);
        }
    }

    private static Reader echoing(Reader text, GenerationOutput printer) {
        return new FilterReader(text) {
            @Override
            public int read(char[] chars, int offset, int length) throws IOException {
                int count = super.read(chars, offset, length);
                if (count > 0) {
                    printer.echo(new String(chars, offset, count));
                }
                return count;
            }
        };
    }

    private GenerationOptions options() {
        return UsageErrors.checked(
                spec, () -> length.applyTo(GenerationOptions.defaults().withSampling(sampling.options())));
    }

    private int[] promptIds() {
        if (input.ids == null) {
            return null;
        }
        if (prompt != null || input.text.fileGiven()) {
            throw new ParameterException(spec.commandLine(), "give --prompt-ids or another prompt, not both");
        }
        return UsageErrors.checked(spec, "--prompt-ids: ", () -> IdList.parse(input.ids));
    }

    private void warnIfCutOff(Outcome outcome, GenerationOptions options) {
        if (!outcome.grammarComplete()
                && output.saveState == null
                && !verbosity().quiet()) {
            streams.message("xlstm: warning: the text is cut off, the grammar was not finished (end: "
                    + outcome.finishReason()
                    + (outcome.finishReason() == FinishReason.LENGTH
                            ? ", -n " + options.maxTokens() + " is too small for it)"
                            : ")"));
        }
    }

    private void stats(GenerationOutput.Result result) {
        if (!verbosity().stats(streams)) {
            return;
        }
        streams.message(result.statistics());
    }
}
