package dev.xlstm.cli.options;

import dev.xlstm.generation.TextModel;
import dev.xlstm.sampling.DryOptions;
import dev.xlstm.sampling.MirostatOptions;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.sampling.StepName;
import dev.xlstm.sampling.XtcOptions;
import dev.xlstm.tokenizer.Tokenizer;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@link SamplingOptions} as flags. */
public final class SamplingFlags {

    private static final SamplingOptions DEFAULTS = SamplingOptions.defaults();

    @Option(
            names = {"-t", "--temperature"},
            paramLabel = "T",
            description = "Below 1 safer, above 1 wilder; 0 always takes the likeliest token. Default: 0.8")
    private float temperature = DEFAULTS.temperature();

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Choose among the K likeliest tokens; 0 for all. Default: 40")
    private int topK = DEFAULTS.topK();

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description =
                    "Choose among the likeliest tokens that together reach probability P; 1 for all. Default: 0.95")
    private float topP = DEFAULTS.topP();

    @Option(
            names = "--min-p",
            paramLabel = "P",
            description = "Leave out tokens less than P times as likely as the likeliest; 0 for none. Default: 0.05")
    private float minP = DEFAULTS.minP();

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            description = "Divide the logits of recent tokens by X (multiply negative ones); 1 for none. Default: 1")
    private float repetitionPenalty = DEFAULTS.repetitionPenalty();

    @Option(
            names = "--presence-penalty",
            paramLabel = "X",
            description = "Subtract X from the logit of every recent token. Default: 0")
    private float presencePenalty = DEFAULTS.presencePenalty();

    @Option(
            names = "--frequency-penalty",
            paramLabel = "X",
            description = "Subtract X for each time a recent token occurred. Default: 0")
    private float frequencyPenalty = DEFAULTS.frequencyPenalty();

    @Option(
            names = "--repeat-last-n",
            paramLabel = "N",
            description = "How many tokens are recent, prompt included; 0 for none, -1 for all, 8192 of the"
                    + " prompt's at most. Default: 64")
    private int repeatLastN = DEFAULTS.repeatLastN();

    @Option(
            names = "--dry-multiplier",
            paramLabel = "X",
            description = "DRY: a token that would go on repeating a passage loses X * base^(length of the passage -"
                    + " allowed length); 0 for none. Default: 0")
    private float dryMultiplier = DryOptions.OFF.multiplier();

    @Option(names = "--dry-base", paramLabel = "X", description = "Growth of the DRY penalty. Default: 1.75")
    private float dryBase = DryOptions.OFF.base();

    @Option(
            names = "--dry-allowed-length",
            paramLabel = "N",
            description = "Passages shorter than N tokens may be repeated. Default: 2")
    private int dryAllowedLength = DryOptions.OFF.allowedLength();

    @Option(
            names = "--dry-last-n",
            paramLabel = "N",
            description = "How many tokens DRY looks back; 0 for none. Default: 1024")
    private int dryLastN = DryOptions.OFF.lastN();

    @Option(
            names = "--dry-sequence-breaker",
            paramLabel = "TEXT",
            split = MultiValue.SEPARATOR,
            hideParamSyntax = true,
            description = "No passage runs across a token with TEXT in it; \\n is a line feed. May be given several"
                    + " times; none for no breakers. Default: line feed, colon, double quote, asterisk")
    private List<String> dryBreakers = List.of("\\n", ":", "\"", "*");

    @Option(
            names = "--xtc-probability",
            paramLabel = "P",
            description =
                    "XTC: with probability P leave out all likely tokens but the least likely of them." + " Default: 0")
    private float xtcProbability = XtcOptions.OFF.probability();

    @Option(
            names = "--xtc-threshold",
            paramLabel = "P",
            description = "Tokens at least this probable are likely ones. Default: 0.1")
    private float xtcThreshold = XtcOptions.OFF.threshold();

    @Option(
            names = "--mirostat-tau",
            paramLabel = "BITS",
            description =
                    "Mirostat 2: keep the surprise of the text near BITS a token, instead of top-k, top-p, min-p and"
                            + " XTC; 0 for no mirostat. Default: 0")
    private float mirostatTau = MirostatOptions.OFF.tau();

    @Option(names = "--mirostat-eta", paramLabel = "X", description = "How fast mirostat learns. Default: 0.1")
    private float mirostatEta = MirostatOptions.OFF.eta();

    @Option(
            names = {"-l", "--logit-bias"},
            paramLabel = "TOKEN(+/-)X",
            split = MultiValue.SEPARATOR,
            hideParamSyntax = true,
            description = "Add X to the logit of a token: 42+1.5 by id, \" cat\"-2 by text, 42-inf never. May be given"
                    + " several times.")
    private List<String> logitBias = List.of();

    @Option(
            names = "--samplers",
            paramLabel = "LIST",
            description = "The steps that run, in this order; others do not. Default:"
                    + " penalties;dry;top_k;top_p;min_p;xtc;temperature")
    private String samplers =
            StepName.DEFAULT_ORDER.stream().map(StepName::toString).collect(Collectors.joining(";"));

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Seed of the random draws: the same seed gives the same text. Default: that of --state, else"
                    + " another one each time, shown by --stats")
    private Long seed;

    /**
     * @param tokenizer knows the tokens that are given by text; null if the model has none
     * @throws IllegalArgumentException naming an option out of its range
     */
    SamplingOptions options(Tokenizer tokenizer) {
        return options().toBuilder()
                .logitBias(TokenTexts.biases(logitBias, tokenizer))
                .dry(dry(TokenTexts.containing(dryMultiplier > 0 ? dryBreakers : List.of(), tokenizer)))
                .build();
    }

    private DryOptions dry(Set<Integer> breakers) {
        return new DryOptions(dryMultiplier, dryBase, dryAllowedLength, dryLastN, breakers);
    }

    /**
     * Without what needs a tokenizer: logit biases and the breakers of DRY.
     *
     * @throws IllegalArgumentException naming an option out of its range
     */
    public SamplingOptions options() {
        return SamplingOptions.builder()
                .temperature(temperature)
                .topK(topK)
                .topP(topP)
                .minP(minP)
                .repetitionPenalty(repetitionPenalty)
                .presencePenalty(presencePenalty)
                .frequencyPenalty(frequencyPenalty)
                .repeatLastN(repeatLastN)
                .dry(dry(Set.of()))
                .xtc(new XtcOptions(xtcProbability, xtcThreshold))
                .mirostat(new MirostatOptions(mirostatTau, mirostatEta))
                .order(StepName.parseList(samplers))
                .seed(seed == null ? randomSeed() : seed)
                .build();
    }

    /**
     * With what needs the model's tokenizer, and a seed that has been drawn before.
     *
     * @throws ParameterException naming an option out of its range
     */
    public SamplingOptions options(TextModel model, long drawnSeed, CommandSpec spec) {
        return UsageErrors.checked(spec, () -> {
            SamplingOptions all = options(model.tokenizer().orElse(null));
            int vocab = model.loaded().config().vocabSize();
            for (int id : all.logitBias().keySet()) {
                if (id >= vocab) {
                    throw new IllegalArgumentException(
                            "--logit-bias: id " + id + " is outside the model's vocabulary of " + vocab);
                }
            }
            return all.toBuilder().seed(drawnSeed).build();
        });
    }

    public boolean seedIsGiven() {
        return seed != null;
    }

    /** Short enough to be typed again. */
    private static long randomSeed() {
        long time = System.nanoTime() ^ System.currentTimeMillis() << 20;
        return (time * 0x9E3779B97F4A7C15L) >>> 32;
    }
}
