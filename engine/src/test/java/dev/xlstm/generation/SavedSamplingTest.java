package dev.xlstm.generation;

import dev.xlstm.sampling.Sampler;
import dev.xlstm.sampling.SamplingOptions;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

import static dev.xlstm.sampling.SamplingParameter.DRY_MULTIPLIER;
import static dev.xlstm.sampling.SamplingParameter.REPETITION_PENALTY;
import static org.assertj.core.api.Assertions.assertThat;

class SavedSamplingTest {

    private static final SamplingOptions OPTIONS = SamplingOptions.defaults()
            .with(REPETITION_PENALTY, 1.1)
            .with(DRY_MULTIPLIER, 0.8)
            .withLogitBias(Map.of(42, 1.5f, 7, Float.NEGATIVE_INFINITY))
            .withDryBreakers(Set.of(417, 15, 7))
            .withSeed(5);

    /** From a state file written by the first version of the format: old files must go on. */
    @Test
    void optionsAreDescribedAsTheFileFormatHasThem() {
        assertThat(SavedSampling.describe(OPTIONS))
                .isEqualTo("SamplingOptions[temperature=0.8, topK=40, topP=0.95, minP=0.05, repetitionPenalty=1.1,"
                        + " presencePenalty=0.0, frequencyPenalty=0.0, repeatLastN=64, logitBias={},"
                        + " dry=DryOptions[multiplier=0.8, base=1.75, allowedLength=2, lastN=1024, breakers=[]],"
                        + " xtc=XtcOptions[probability=0.0, threshold=0.1], mirostat=MirostatOptions[tau=0.0, eta=0.1],"
                        + " order=[penalties, dry, top_k, top_p, min_p, xtc, temperature], seed=5]"
                        + " {7=-Infinity, 42=1.5} [7, 15, 417]");
    }

    @Test
    void otherOptionsDoNotGoOn() {
        SavedSampling saved = SavedSampling.of(OPTIONS, new Sampler(OPTIONS, 500));
        assertThat(saved.isOf(OPTIONS)).isTrue();
        assertThat(saved.isOf(OPTIONS.withSeed(6))).isFalse();
        assertThat(saved.isOf(OPTIONS.withLogitBias(Map.of()))).isFalse();
        assertThat(saved.isOf(OPTIONS.with(DRY_MULTIPLIER, 0.9))).isFalse();
    }
}
