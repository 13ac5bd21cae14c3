package dev.xlstm.generation;

import dev.xlstm.model.ModelDirectory;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static dev.xlstm.sampling.SamplingParameter.MIN_P;
import static dev.xlstm.sampling.SamplingParameter.REPETITION_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_K;
import static dev.xlstm.sampling.SamplingParameter.TOP_P;
import static org.assertj.core.api.Assertions.assertThat;

class RecommendedSamplingTest {

    @TempDir
    Path directory;

    private RecommendedSampling recommended(String json) throws IOException {
        Files.writeString(directory.resolve("config.json"), "{\"embedding_dim\":64}");
        Files.writeString(directory.resolve("generation_config.json"), json.replace('\'', '"'));
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            return RecommendedSampling.of(model.generationConfig());
        }
    }

    @Test
    void samplingIsTakenAndLengthsAreNot() throws IOException {
        RecommendedSampling recommended = recommended("{'do_sample':true,'temperature':0.6,'top_k':20,'top_p':0.9,"
                + "'min_p':0.1,'repetition_penalty':1.1,'max_new_tokens':9,'num_beams':4}");
        assertThat(recommended.warning()).isNull();
        assertThat(recommended.options())
                .isEqualTo(SamplingOptions.defaults()
                        .with(TEMPERATURE, 0.6)
                        .with(TOP_K, 20)
                        .with(TOP_P, 0.9)
                        .with(MIN_P, 0.1)
                        .with(REPETITION_PENALTY, 1.1));
    }

    @Test
    void aModelThatRecommendsNothingHasTheDefaults() throws IOException {
        assertThat(recommended("{'eos_token_id':2,'temperature':null}")).isEqualTo(recommended("{}"));
        assertThat(recommended("{}").options()).isEqualTo(SamplingOptions.defaults());
    }

    @Test
    void greedyLeavesTheOtherValuesOut() throws IOException {
        assertThat(recommended("{'do_sample':false,'temperature':0.7,'top_k':-1}"))
                .isEqualTo(recommended("{'temperature':0}"));
    }

    @Test
    void valuesOutOfRangeMakeOneWarning() throws IOException {
        RecommendedSampling recommended =
                recommended("{'top_k':-1,'top_p':1.5,'temperature':'hot','min_p':true,'eos_token_id':-1}");
        assertThat(recommended.options()).isEqualTo(SamplingOptions.defaults());
        assertThat(recommended.warning())
                .isEqualTo(directory.resolve("generation_config.json")
                        + ": ignored \"eos_token_id\": -1, \"temperature\": \"hot\", \"top_k\": -1,"
                        + " \"top_p\": 1.5, \"min_p\": true");
    }
}
