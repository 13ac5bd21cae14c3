package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.VerbosityOptions;
import dev.xlstm.tokenizer.Tokenizer;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** How many continuations to generate, and how to print them. */
public final class OutputOptions {

    @Option(
            names = "--num-samples",
            paramLabel = "N",
            description =
                    "Generate N continuations at once, with consecutive seeds. Each is printed under a line with its"
                            + " number and seed; --json prints one array, and with --jsonl each event has a \"sample\" number,"
                            + " counted from 1.")
    private int samples = 1;

    @Option(
            names = "--json",
            fallbackValue = "true",
            description = "Print one JSON object at the end instead of the text.")
    private boolean json;

    @Option(
            names = "--jsonl",
            fallbackValue = "true",
            description = "Stream JSON objects, one a line: a token event for each token, then an end event.")
    private boolean jsonl;

    @Option(
            names = "--logprobs",
            paramLabel = "K",
            description = "With --json or --jsonl: print the log-probability of each token, and of the K most probable"
                    + " tokens at its position; natural logarithms, before any sampling. 0 for the chosen token alone.")
    private Integer logprobs;

    @ArgGroup(validate = false)
    private VerbosityOptions verbosity = new VerbosityOptions();

    /**
     * Checks the values against each other.
     *
     * @throws ParameterException if they are out of range or exclude each other
     */
    public void check(CommandSpec spec) {
        if (samples < 1) {
            throw new ParameterException(spec.commandLine(), "--num-samples must be at least 1, not " + samples);
        }
        if (json && jsonl) {
            throw new ParameterException(spec.commandLine(), "give --json or --jsonl, not both");
        }
        if (logprobs != null && !json && !jsonl) {
            throw new ParameterException(spec.commandLine(), "--logprobs needs --json or --jsonl");
        }
        if (logprobs != null && logprobs < 0) {
            throw new ParameterException(spec.commandLine(), "--logprobs must be at least 0, not " + logprobs);
        }
    }

    public int samples() {
        return samples;
    }

    public boolean json() {
        return json;
    }

    public boolean jsonl() {
        return jsonl;
    }

    public VerbosityOptions verbosity() {
        return verbosity;
    }

    /**
     * The output of one continuation.
     *
     * @param tokenizer empty for a model that takes and gives ids only
     * @param sample the number of the continuation, counted from 1
     */
    public GenerationOutput output(
            Streams streams, Interruption interruption, Optional<Tokenizer> tokenizer, int sample) {
        TokenProbabilities tokens = new TokenProbabilities(tokenizer.orElse(null), logprobs == null ? -1 : logprobs);
        boolean hasText = tokenizer.isPresent();
        if (jsonl) {
            return new JsonEvents(streams, interruption, tokens, samples == 1 ? 0 : sample);
        }
        if (json) {
            return new JsonResult(streams, interruption, tokens);
        }
        return samples > 1
                ? new SampleText(streams, interruption, hasText, sample, samples)
                : new TextOutput(streams, interruption, hasText, verbosity.quiet());
    }
}
