package dev.xlstm.generation;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.model.GenerationConfig;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.sampling.SamplingParameter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The sampling that a model's generation_config.json recommends, as transformers takes it. Lengths are not taken: how much
 * to write is the user's choice.
 *
 * @param values of the parameters that the file sets
 * @param warning one line that names the values that cannot be used; null if there are none
 */
public record RecommendedSampling(Map<SamplingParameter, Double> values, String warning) {

    private static final List<SamplingParameter> TAKEN = List.of(
            SamplingParameter.TEMPERATURE,
            SamplingParameter.TOP_K,
            SamplingParameter.TOP_P,
            SamplingParameter.MIN_P,
            SamplingParameter.REPETITION_PENALTY);

    /** Whether a model may recommend a value. */
    public static boolean isTaken(SamplingParameter parameter) {
        return TAKEN.contains(parameter);
    }

    public static RecommendedSampling of(GenerationConfig config) {
        Map<SamplingParameter, Double> values = new EnumMap<>(SamplingParameter.class);
        List<String> ignored = new ArrayList<>(config.ignored());
        if (config.isGreedy()) {
            values.put(SamplingParameter.TEMPERATURE, 0.0);
        } else {
            for (SamplingParameter parameter : TAKEN) {
                String given = config.described(parameter.jsonName());
                OptionalDouble number = config.number(parameter.jsonName());
                if (number.isPresent() && isUsable(parameter, number.getAsDouble())) {
                    values.put(parameter, number.getAsDouble());
                } else if (given != null) {
                    ignored.add(given);
                }
            }
        }
        return new RecommendedSampling(
                values, ignored.isEmpty() ? null : config.file() + ": ignored " + String.join(", ", ignored));
    }

    private static boolean isUsable(SamplingParameter parameter, double value) {
        try {
            SamplingOptions.defaults().with(parameter, value);
            return true;
        } catch (BadRequestException e) {
            return false;
        }
    }

    /** The program's defaults with the recommended values in their place. */
    public SamplingOptions options() {
        SamplingOptions options = SamplingOptions.defaults();
        for (Map.Entry<SamplingParameter, Double> entry : values.entrySet()) {
            options = options.with(entry.getKey(), entry.getValue());
        }
        return options;
    }
}
