package dev.xlstm.cli.options;

import dev.xlstm.generation.GenerationOptions;
import java.util.LinkedHashSet;
import java.util.List;
import picocli.CommandLine.Option;

/** Where a text ends. */
public final class LengthFlags {

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Tokens to generate at most; -1 for no limit. Default: 256")
    private int maxTokens = GenerationOptions.defaults().maxTokens();

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            split = MultiValue.SEPARATOR,
            hideParamSyntax = true,
            description = "End before TEXT. May be given several times.")
    private List<String> stop = List.of();

    @Option(
            names = "--stop-id",
            paramLabel = "ID",
            split = MultiValue.SEPARATOR,
            hideParamSyntax = true,
            description = "End before this token, too. May be given several times.")
    private List<Integer> stopIds = List.of();

    @Option(names = "--ignore-eos", fallbackValue = "true", description = "Go on after the model's end of text.")
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
