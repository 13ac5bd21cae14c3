package dev.xlstm.generation;

import dev.xlstm.sampling.Sampler;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.sampling.SamplingParameter;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The sampler of the last generation, as a state file keeps it.
 *
 * @param options as text, to be compared only
 * @param state from {@link Sampler#save}
 */
record SavedSampling(String options, long seed, Map<String, String> state) {

    /** Part of the file format: a file written with the same options must compare equal. */
    private static final String FORMAT =
            "SamplingOptions[temperature={TEMPERATURE}, topK={TOP_K}, topP={TOP_P}, minP={MIN_P},"
                    + " repetitionPenalty={REPETITION_PENALTY}, presencePenalty={PRESENCE_PENALTY},"
                    + " frequencyPenalty={FREQUENCY_PENALTY}, repeatLastN={REPEAT_LAST_N}, logitBias={},"
                    + " dry=DryOptions[multiplier={DRY_MULTIPLIER}, base={DRY_BASE},"
                    + " allowedLength={DRY_ALLOWED_LENGTH}, lastN={DRY_LAST_N}, breakers=[]],"
                    + " xtc=XtcOptions[probability={XTC_PROBABILITY}, threshold={XTC_THRESHOLD}],"
                    + " mirostat=MirostatOptions[tau={MIROSTAT_TAU}, eta={MIROSTAT_ETA}], order={order}, seed={seed}]";

    static SavedSampling of(SamplingOptions options, Sampler sampler) {
        return new SavedSampling(describe(options), options.seed(), sampler.save());
    }

    /** Whether a generation with these options goes on with this state. */
    boolean isOf(SamplingOptions other) {
        return describe(other).equals(options);
    }

    /** The same text for equal options in every run of the program: sets and maps are sorted. */
    static String describe(SamplingOptions options) {
        String text = FORMAT;
        for (SamplingParameter parameter : SamplingParameter.values()) {
            double number = options.get(parameter);
            String value = parameter.isWhole() ? Long.toString((long) number) : Float.toString((float) number);
            String place = "{" + parameter + "}";
            if (text.contains(place)) {
                text = text.replace(place, value);
            } else if (number != parameter.defaultValue()) { // a parameter younger than the format
                text += " " + parameter + "=" + value;
            }
        }
        return text.replace("{order}", options.order().toString()).replace("{seed}", Long.toString(options.seed()))
                + " " + new TreeMap<>(options.logitBias()) + " " + new TreeSet<>(options.dryBreakers());
    }
}
