package dev.xlstm.generation;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.sampling.SamplingOptions;
import java.util.List;
import java.util.Set;

/**
 * How to continue and when to end.
 *
 * @param sampling how each token is chosen
 * @param maxTokens the most tokens to generate; -1 for no limit
 * @param stop strings that end the text; none of them is part of it
 * @param stopIds ids that end the text, besides the model's own
 * @param ignoreEos go on after the model's own end of text
 * @param grammar keeps the text of each generation in a language, see {@link TextModel#compile}; null for none
 * @param draft the most ids to guess per pass; 0 for none. Guesses change the speed and never the text
 */
public record GenerationOptions(
        SamplingOptions sampling,
        int maxTokens,
        List<String> stop,
        Set<Integer> stopIds,
        boolean ignoreEos,
        CompiledGrammar grammar,
        int draft) {

    public GenerationOptions {
        if (maxTokens < -1) {
            throw new BadRequestException("max-tokens must be at least -1, not " + maxTokens);
        }
        if (draft < 0) {
            throw new BadRequestException("draft must be at least 0, not " + draft);
        }
        stop = List.copyOf(stop);
        stopIds = Set.copyOf(stopIds);
        if (stop.contains("")) {
            throw new BadRequestException("a stop string must not be empty");
        }
    }

    /** At most 256 tokens, the default sampling, no stop strings. */
    public static GenerationOptions defaults() {
        return new GenerationOptions(SamplingOptions.defaults(), 256, List.of(), Set.of(), false, null, 0);
    }

    public GenerationOptions withSampling(SamplingOptions value) {
        return new GenerationOptions(value, maxTokens, stop, stopIds, ignoreEos, grammar, draft);
    }

    public GenerationOptions withMaxTokens(int value) {
        return new GenerationOptions(sampling, value, stop, stopIds, ignoreEos, grammar, draft);
    }

    public GenerationOptions withStop(List<String> value) {
        return new GenerationOptions(sampling, maxTokens, value, stopIds, ignoreEos, grammar, draft);
    }

    public GenerationOptions withStopIds(Set<Integer> value) {
        return new GenerationOptions(sampling, maxTokens, stop, value, ignoreEos, grammar, draft);
    }

    public GenerationOptions withIgnoreEos(boolean value) {
        return new GenerationOptions(sampling, maxTokens, stop, stopIds, value, grammar, draft);
    }

    public GenerationOptions withGrammar(CompiledGrammar value) {
        return new GenerationOptions(sampling, maxTokens, stop, stopIds, ignoreEos, value, draft);
    }

    public GenerationOptions withDraft(int value) {
        return new GenerationOptions(sampling, maxTokens, stop, stopIds, ignoreEos, grammar, value);
    }
}
