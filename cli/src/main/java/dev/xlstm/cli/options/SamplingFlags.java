package dev.xlstm.cli.options;

import dev.xlstm.generation.RecommendedSampling;
import dev.xlstm.generation.TextModel;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.sampling.SamplingParameter;
import dev.xlstm.sampling.StepName;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.IGetter;
import picocli.CommandLine.Model.IScope;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** {@link SamplingOptions} as flags: one for each {@link SamplingParameter}, and those that are no numbers. */
public final class SamplingFlags {

    private static final List<String> DRY_BREAKERS = List.of("\\n", ":", "\"", "*");

    private final Map<SamplingParameter, NumberValue> numbers = new EnumMap<>(SamplingParameter.class);
    private final OptionSpec dryBreakers = flag("--dry-sequence-breaker")
            .paramLabel("TEXT")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .splitRegex(MultiValue.SEPARATOR)
            .hideParamSyntax(true)
            .description(
                    "No passage runs across a token with TEXT in it; \\n is a line feed. May be given several times;"
                            + " none for no breakers. Default: line feed, colon, double quote, asterisk")
            .build();
    private final OptionSpec logitBias = flag("-l", "--logit-bias")
            .paramLabel("TOKEN(+/-)X")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .splitRegex(MultiValue.SEPARATOR)
            .hideParamSyntax(true)
            .description("Add X to the logit of a token: 42+1.5 by id, \" cat\"-2 by text, 42-inf never. May be given"
                    + " several times.")
            .build();
    private final OptionSpec samplers = flag("--samplers")
            .paramLabel("LIST")
            .type(String.class)
            .description("The steps that run, in this order; others do not. Default: " + defaultOrder())
            .build();
    private final OptionSpec seed = flag("--seed")
            .paramLabel("N")
            .type(Long.class)
            .description("Seed of the random draws: the same seed gives the same text. Default: that of --state, else"
                    + " another one each time, shown by --stats")
            .build();

    /**
     * Adds the flags to a command, as a group.
     *
     * @param heading of the group in the help
     * @param order of the group among those of the command
     */
    public void addTo(CommandSpec command, String heading, int order) {
        ArgGroupSpec.Builder group =
                ArgGroupSpec.builder().validate(false).heading(heading).order(order);
        for (SamplingParameter parameter : SamplingParameter.values()) {
            group.addArg(number(parameter));
            if (parameter == SamplingParameter.DRY_LAST_N) {
                group.addArg(dryBreakers);
            }
        }
        group.addArg(logitBias).addArg(samplers).addArg(seed);
        command.addArgGroup(group.build());
    }

    private OptionSpec number(SamplingParameter parameter) {
        String name = "--" + parameter.flag();
        OptionSpec.Builder flag = parameter == SamplingParameter.TEMPERATURE ? flag("-t", name) : flag(name);
        NumberValue value = new NumberValue(parameter);
        numbers.put(parameter, value);
        return flag.paramLabel(parameter.label())
                .type(parameter.isWhole() ? Integer.class : Float.class)
                .getter(value)
                .setter(value)
                .description(parameter.help() + ". Default: "
                        + (RecommendedSampling.isTaken(parameter) ? "what the model recommends, else " : "")
                        + parameter.format(parameter.defaultValue()))
                .build();
    }

    /** The value of a flag: the default until the command line or the configuration gives one. */
    private static final class NumberValue implements IGetter, ISetter {
        private Number value;
        private boolean given;

        NumberValue(SamplingParameter parameter) {
            double number = parameter.defaultValue();
            value = parameter.isWhole() ? Integer.valueOf((int) number) : Float.valueOf((float) number);
        }

        @Override
        @SuppressWarnings("unchecked")
        public <T> T get() {
            return (T) value;
        }

        @Override
        public <T> T set(T given) {
            T before = get();
            value = (Number) given;
            this.given = true;
            return before;
        }
    }

    private static OptionSpec.Builder flag(String... names) {
        return OptionSpec.builder(names).scope(new PresentScope());
    }

    /** picocli applies the configured default of a group's option only if its scope is not null. */
    private static final class PresentScope implements IScope {

        @Override
        @SuppressWarnings("unchecked")
        public <T> T get() {
            return (T) this;
        }

        @Override
        public <T> T set(T value) {
            return value;
        }
    }

    private static String defaultOrder() {
        return StepName.DEFAULT_ORDER.stream().map(StepName::toString).collect(Collectors.joining(";"));
    }

    /**
     * Without what needs a tokenizer: logit biases and the breakers of DRY.
     *
     * @throws IllegalArgumentException naming an option out of its range
     */
    public SamplingOptions options() {
        return options(SamplingOptions.defaults());
    }

    private SamplingOptions options(SamplingOptions defaults) {
        SamplingOptions options = defaults;
        for (Map.Entry<SamplingParameter, NumberValue> flag : numbers.entrySet()) {
            NumberValue number = flag.getValue();
            if (number.given) {
                options = options.with(flag.getKey(), number.value.doubleValue());
            }
        }
        String order = samplers.getValue();
        Long given = seed.getValue();
        return (order == null ? options : options.withOrder(StepName.parseList(order)))
                .withSeed(given == null ? randomSeed() : given);
    }

    /**
     * The options for a model: a flag that is not given takes what the model recommends.
     *
     * @param drawnSeed of {@link #options()}, which draws a new one each time
     *
     * @throws ParameterException naming an option out of its range
     */
    public SamplingOptions options(TextModel model, long drawnSeed, CommandSpec spec) throws IOException {
        SamplingOptions recommended = model.recommendedSampling().options();
        return UsageErrors.checked(spec, () -> {
            SamplingOptions all =
                    withTokens(options(recommended), model.tokenizer().orElse(null));
            int vocab = model.loaded().config().vocabSize();
            for (int id : all.logitBias().keySet()) {
                if (id >= vocab) {
                    throw new IllegalArgumentException(
                            "--logit-bias: id " + id + " is outside the model's vocabulary of " + vocab);
                }
            }
            return all.withSeed(drawnSeed);
        });
    }

    /** As {@link #options(TextModel, long, CommandSpec)}, as defaults for requests that may turn DRY on themselves. */
    public SamplingOptions lineDefaults(TextModel model, long drawnSeed, CommandSpec spec) throws IOException {
        return options(model, drawnSeed, spec)
                .withDryBreakers(breakers(model.tokenizer().orElse(null)));
    }

    /**
     * @param tokenizer knows the tokens that are given by text; null if the model has none
     * @throws IllegalArgumentException naming an option out of its range
     */
    private SamplingOptions withTokens(SamplingOptions options, Tokenizer tokenizer) {
        List<String> biases = logitBias.getValue();
        SamplingOptions biased = biases == null ? options : options.withLogitBias(TokenTexts.biases(biases, tokenizer));
        return options.get(SamplingParameter.DRY_MULTIPLIER) > 0 ? biased.withDryBreakers(breakers(tokenizer)) : biased;
    }

    private Set<Integer> breakers(Tokenizer tokenizer) {
        List<String> texts = dryBreakers.getValue();
        return TokenTexts.containing(texts == null ? DRY_BREAKERS : texts, tokenizer);
    }

    public boolean seedIsGiven() {
        return seed.getValue() != null;
    }

    /** Short enough to be typed again. */
    private static long randomSeed() {
        long time = System.nanoTime() ^ System.currentTimeMillis() << 20;
        return (time * 0x9E3779B97F4A7C15L) >>> 32;
    }
}
