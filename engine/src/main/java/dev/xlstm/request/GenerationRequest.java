package dev.xlstm.request;

import dev.xlstm.chat.Message;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.grammar.Grammar;
import java.util.List;

/**
 * One text to continue, and how. At most one of prompt, promptIds and messages is not null.
 *
 * @param prompt text
 * @param promptIds ids, taken as they are
 * @param messages a conversation, the last message to be answered
 * @param options without a grammar: that has to be compiled for the model, see {@link GrammarCompiler}
 * @param grammar keeps the text in a language; null for none
 * @param logprobs how many alternatives to report with the log-probability of each token; -1 for no log-probabilities
 */
public record GenerationRequest(
        String prompt,
        int[] promptIds,
        List<Message> messages,
        GenerationOptions options,
        Grammar grammar,
        int logprobs) {

    /** Settings without a text, as defaults for requests. */
    public static GenerationRequest defaults(GenerationOptions options, Grammar grammar) {
        return new GenerationRequest(null, null, null, options, grammar, -1);
    }

    GenerationRequest withOptions(GenerationOptions value) {
        return new GenerationRequest(prompt, promptIds, messages, value, grammar, logprobs);
    }

    public boolean hasPrompt() {
        return prompt != null || promptIds != null || messages != null;
    }
}
