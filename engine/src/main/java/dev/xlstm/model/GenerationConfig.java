package dev.xlstm.model;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What a model's makers recommend for sampling (generation_config.json); empty where they say nothing.
 *
 * @param temperature 0 for greedy
 * @param eosIds ids said to end the text; see {@link SpecialTokens} before believing them
 */
public record GenerationConfig(
        OptionalDouble temperature,
        OptionalInt topK,
        OptionalDouble topP,
        OptionalDouble minP,
        OptionalDouble repetitionPenalty,
        OptionalInt maxNewTokens,
        List<Integer> eosIds) {

    static GenerationConfig of(JsonObject json) throws ModelException {
        boolean greedy = !json.flag("do_sample", true); // then the other fields are leftovers
        return new GenerationConfig(
                greedy ? OptionalDouble.of(0) : json.number("temperature", 0, 1000),
                json.integer("top_k", 0, Integer.MAX_VALUE),
                json.number("top_p", 0, 1),
                json.number("min_p", 0, 1),
                json.number("repetition_penalty", 1e-3, 1000),
                json.integer("max_new_tokens", 0, Integer.MAX_VALUE),
                List.copyOf(json.integers("eos_token_id", 0, Integer.MAX_VALUE)));
    }
}
