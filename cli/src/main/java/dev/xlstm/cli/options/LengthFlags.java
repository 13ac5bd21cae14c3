package dev.xlstm.cli.options;

import dev.xlstm.generation.GenerationOptions;
import java.util.LinkedHashSet;
import java.util.List;
import picocli.CommandLine.Option;

/** Options that say where a text ends. */
public final class LengthFlags {

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Maximum number of tokens to generate; -1 for no limit. Default: 256")
    private int maxTokens = GenerationOptions.defaults().maxTokens();

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            split = MultiValue.SEPARATOR,
            hideParamSyntax = true,
            description = "Stop before TEXT. May be given several times.")
    private List<String> stop = List.of();

    @Option(
            names = "--stop-id",
            paramLabel = "ID",
            split = MultiValue.SEPARATOR,
            hideParamSyntax = true,
            description = "Also stop before this token. May be given several times.")
    private List<Integer> stopIds = List.of();

    @Option(
            names = "--ignore-eos",
            fallbackValue = "true",
            description = "Do not stop at the model's end-of-text token.")
    private boolean ignoreEos;

    /**
     * @throws IllegalArgumentException naming a flag out of its range
     */
    public GenerationOptions applyTo(GenerationOptions options) {
        return options.withMaxTokens(maxTokens)
                .withStop(stop)
                .withStopIds(new LinkedHashSet<>(stopIds))
                .withIgnoreEos(ignoreEos);
    }
}
