package dev.xlstm.sampling;

import dev.xlstm.error.BadRequestException;
import java.util.List;
import java.util.Map;

/**
 * How the next id is chosen. A grammar and logit biases come first, then the steps run in their {@code order}: unless chosen
 * otherwise, penalties, DRY, top-k, top-p, min-p, XTC, temperature. Mirostat, where it is on, comes last and replaces
 * top-k, top-p, min-p and XTC. Temperature 0 takes the most likely id after biases, penalties and DRY.
 *
 * @param temperature divides the logits before the draw; 0 always takes the most likely id
 * @param topK only the k most likely ids stay; 0 for all
 * @param topP only the most likely ids whose probabilities first sum to p stay; 1 for all
 * @param minP only ids at least this fraction as likely as the most likely one stay; 0 for all
 * @param repetitionPenalty divides positive and multiplies negative logits of recent ids; 1 for none
 * @param presencePenalty subtracted once from the logit of every recent id; 0 for none
 * @param frequencyPenalty subtracted from the logit of a recent id for each time it occurred; 0 for none
 * @param repeatLastN how many ids count as recent for the penalties, prompt included; 0 for none, -1 for all
 * @param logitBias added to the logits of these ids; negative infinity rules an id out
 * @param dry penalty of repeated passages
 * @param xtc removal of the most likely ids
 * @param mirostat target surprise
 * @param order the steps that run, in order; those that are not listed do not
 * @param seed of the random draws: same seed, options and logits, same ids
 */
public record SamplingOptions(
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        int repeatLastN,
        Map<Integer, Float> logitBias,
        DryOptions dry,
        XtcOptions xtc,
        MirostatOptions mirostat,
        List<StepName> order,
        long seed) {

    public SamplingOptions {
        check(temperature >= 0 && temperature < Float.POSITIVE_INFINITY, "temperature", "at least 0", temperature);
        check(topK >= 0, "top-k", "at least 0", topK);
        check(topP > 0 && topP <= 1, "top-p", "above 0 and at most 1", topP);
        check(minP >= 0 && minP <= 1, "min-p", "between 0 and 1", minP);
        check(
                repetitionPenalty > 0 && repetitionPenalty < Float.POSITIVE_INFINITY,
                "repetition penalty",
                "above 0",
                repetitionPenalty);
        check(Float.isFinite(presencePenalty), "presence penalty", "finite", presencePenalty);
        check(Float.isFinite(frequencyPenalty), "frequency penalty", "finite", frequencyPenalty);
        check(
                repeatLastN >= -1 && repeatLastN <= MAX_REPEAT_LAST_N,
                "repeat-last-n",
                "between -1 and " + MAX_REPEAT_LAST_N,
                repeatLastN);
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((id, bias) -> {
            check(id >= 0, "id of a logit bias", "at least 0", id);
            check(bias < Float.POSITIVE_INFINITY, "logit bias", "finite or negative infinity", bias);
        });
        order = List.copyOf(order);
        StepName.checkOrder(order);
    }

    /** Longer windows are better served by -1, which needs none. */
    public static final int MAX_REPEAT_LAST_N = 1 << 20;

    static void check(boolean good, String name, String range, Number value) {
        if (!good) {
            throw new BadRequestException(name + " must be " + range + ", not " + value);
        }
    }

    /** Temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, no penalties, seed 0. */
    public static SamplingOptions defaults() {
        return builder().build();
    }

    /** Always the most likely id. */
    public static SamplingOptions greedy() {
        return builder().temperature(0).build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts from these options. */
    public Builder toBuilder() {
        return new Builder()
                .temperature(temperature)
                .topK(topK)
                .topP(topP)
                .minP(minP)
                .repetitionPenalty(repetitionPenalty)
                .presencePenalty(presencePenalty)
                .frequencyPenalty(frequencyPenalty)
                .repeatLastN(repeatLastN)
                .logitBias(logitBias)
                .dry(dry)
                .xtc(xtc)
                .mirostat(mirostat)
                .order(order)
                .seed(seed);
    }

    /** Whether any of the three penalties changes a logit. */
    boolean penalises() {
        return repeatLastN != 0 && (repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0);
    }

    /** Collects options; starts from the defaults. */
    public static final class Builder {
        private float temperature = 0.8f;
        private int topK = 40;
        private float topP = 0.95f;
        private float minP = 0.05f;
        private float repetitionPenalty = 1;
        private float presencePenalty;
        private float frequencyPenalty;
        private int repeatLastN = 64;
        private Map<Integer, Float> logitBias = Map.of();
        private DryOptions dry = DryOptions.OFF;
        private XtcOptions xtc = XtcOptions.OFF;
        private MirostatOptions mirostat = MirostatOptions.OFF;
        private List<StepName> order = StepName.DEFAULT_ORDER;
        private long seed;

        private Builder() {}

        public Builder temperature(float value) {
            temperature = value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder topP(float value) {
            topP = value;
            return this;
        }

        public Builder minP(float value) {
            minP = value;
            return this;
        }

        public Builder repetitionPenalty(float value) {
            repetitionPenalty = value;
            return this;
        }

        public Builder presencePenalty(float value) {
            presencePenalty = value;
            return this;
        }

        public Builder frequencyPenalty(float value) {
            frequencyPenalty = value;
            return this;
        }

        public Builder repeatLastN(int value) {
            repeatLastN = value;
            return this;
        }

        public Builder logitBias(Map<Integer, Float> value) {
            logitBias = value;
            return this;
        }

        public Builder dry(DryOptions value) {
            dry = value;
            return this;
        }

        public Builder xtc(XtcOptions value) {
            xtc = value;
            return this;
        }

        public Builder mirostat(MirostatOptions value) {
            mirostat = value;
            return this;
        }

        public Builder order(List<StepName> value) {
            order = value;
            return this;
        }

        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /**
         * @throws BadRequestException naming the first option out of its range
         */
        public SamplingOptions build() {
            return new SamplingOptions(
                    temperature,
                    topK,
                    topP,
                    minP,
                    repetitionPenalty,
                    presencePenalty,
                    frequencyPenalty,
                    repeatLastN,
                    logitBias,
                    dry,
                    xtc,
                    mirostat,
                    order,
                    seed);
        }
    }
}
