package dev.xlstm.sampling;

import dev.xlstm.error.BadRequestException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * How the next id is chosen. A grammar and logit biases come first, then the steps run in their {@link #order}: unless
 * chosen otherwise, penalties, DRY, top-k, top-p, min-p, XTC, temperature. Mirostat, where it is on, comes last and
 * replaces top-k, top-p, min-p and XTC. Temperature 0 takes the most likely id after biases, penalties and DRY.
 *
 * <p>Immutable: each {@code with} method returns changed options.
 */
public final class SamplingOptions {

    private static final SamplingOptions DEFAULTS = new SamplingOptions(
            Arrays.stream(SamplingParameter.values())
                    .mapToDouble(SamplingParameter::defaultValue)
                    .toArray(),
            Map.of(),
            Set.of(),
            StepName.DEFAULT_ORDER,
            0);

    private final double[] values; // by SamplingParameter.ordinal()
    private final Map<Integer, Float> logitBias;
    private final Set<Integer> dryBreakers;
    private final List<StepName> order;
    private final long seed;

    private SamplingOptions(
            double[] values, Map<Integer, Float> logitBias, Set<Integer> dryBreakers, List<StepName> order, long seed) {
        this.values = values;
        this.logitBias = logitBias;
        this.dryBreakers = dryBreakers;
        this.order = order;
        this.seed = seed;
    }

    /** Every parameter at its default, no biases, seed 0. */
    public static SamplingOptions defaults() {
        return DEFAULTS;
    }

    /** Always the most likely id. */
    public static SamplingOptions greedy() {
        return DEFAULTS.with(SamplingParameter.TEMPERATURE, 0);
    }

    public double get(SamplingParameter parameter) {
        return values[parameter.ordinal()];
    }

    /** As {@link #get}, for a parameter that takes whole numbers. */
    int getInt(SamplingParameter parameter) {
        return (int) get(parameter);
    }

    /** As {@link #get}, for a parameter of type float32. */
    float getFloat(SamplingParameter parameter) {
        return (float) get(parameter);
    }

    /**
     * @throws BadRequestException if the value is outside the parameter's range
     */
    public SamplingOptions with(SamplingParameter parameter, double value) {
        double[] changed = values.clone();
        changed[parameter.ordinal()] = parameter.checked(value);
        return new SamplingOptions(changed, logitBias, dryBreakers, order, seed);
    }

    /** Added to the logits of these ids; negative infinity rules an id out. */
    public Map<Integer, Float> logitBias() {
        return logitBias;
    }

    /**
     * @throws BadRequestException if an id is negative or a bias is neither finite nor negative infinity
     */
    public SamplingOptions withLogitBias(Map<Integer, Float> value) {
        value.forEach((id, bias) -> {
            if (id < 0) {
                throw new BadRequestException("the id of a logit bias must be at least 0, not " + id);
            }
            if (!(bias < Float.POSITIVE_INFINITY)) { // nor NaN
                throw new BadRequestException("a logit bias must be finite or negative infinity, not " + bias);
            }
        });
        return new SamplingOptions(values, Map.copyOf(value), dryBreakers, order, seed);
    }

    /** Ids that no passage of DRY runs across: ends of lines, quotes and the like. */
    public Set<Integer> dryBreakers() {
        return dryBreakers;
    }

    public SamplingOptions withDryBreakers(Set<Integer> value) {
        return new SamplingOptions(values, logitBias, Set.copyOf(value), order, seed);
    }

    /** The steps that run, in order; those that are not listed do not. */
    public List<StepName> order() {
        return order;
    }

    /**
     * @throws BadRequestException if a step is listed twice, or one that looks at ids comes after one that looks at ranks
     */
    public SamplingOptions withOrder(List<StepName> value) {
        StepName.checkOrder(value);
        return new SamplingOptions(values, logitBias, dryBreakers, List.copyOf(value), seed);
    }

    /** Seed of the random draws: same seed, options and logits, same ids. */
    public long seed() {
        return seed;
    }

    public SamplingOptions withSeed(long value) {
        return new SamplingOptions(values, logitBias, dryBreakers, order, value);
    }

    boolean isGreedy() {
        return get(SamplingParameter.TEMPERATURE) == 0;
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || other instanceof SamplingOptions o
                        && Arrays.equals(values, o.values)
                        && logitBias.equals(o.logitBias)
                        && dryBreakers.equals(o.dryBreakers)
                        && order.equals(o.order)
                        && seed == o.seed;
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(values), logitBias, dryBreakers, order, seed);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (SamplingParameter parameter : SamplingParameter.values()) {
            text.append(parameter.flag())
                    .append('=')
                    .append(parameter.format(get(parameter)))
                    .append(' ');
        }
        return text + "logit-bias=" + logitBias + " dry-breakers=" + dryBreakers + " order=" + order + " seed=" + seed;
    }
}
