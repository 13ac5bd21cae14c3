package dev.xlstm.cli;

import dev.xlstm.sampling.SamplingOptions;
import picocli.CommandLine.Option;

/** {@link SamplingOptions} as flags. */
final class SamplingFlags {

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
            names = "--seed",
            paramLabel = "N",
            description = "Seed of the random draws: the same seed gives the same text. Default: another one each time,"
                    + " shown by --stats")
    private Long seed;

    /**
     * @throws IllegalArgumentException naming an option out of its range
     */
    SamplingOptions options() {
        return SamplingOptions.builder()
                .temperature(temperature)
                .topK(topK)
                .topP(topP)
                .minP(minP)
                .repetitionPenalty(repetitionPenalty)
                .presencePenalty(presencePenalty)
                .frequencyPenalty(frequencyPenalty)
                .repeatLastN(repeatLastN)
                .seed(seed == null ? randomSeed() : seed)
                .build();
    }

    /** Short enough to be typed again. */
    private static long randomSeed() {
        long time = System.nanoTime() ^ System.currentTimeMillis() << 20;
        return (time * 0x9E3779B97F4A7C15L) >>> 32;
    }
}
