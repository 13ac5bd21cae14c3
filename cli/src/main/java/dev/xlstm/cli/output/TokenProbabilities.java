package dev.xlstm.cli.output;

import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.session.LogProbabilities;
import dev.xlstm.tokenizer.Tokenizer;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;

/**
 * Writes a token as JSON: its id and text, and optionally its log-probability and the {@code k} most probable tokens, before
 * any sampling.
 *
 * @param tokenizer may be null
 * @param k -1 for no probabilities
 */
public record TokenProbabilities(Tokenizer tokenizer, int k) {

    void write(JsonGenerator json, int id, Supplier<float[]> logits) {
        token(json, id);
        if (k < 0) {
            return;
        }
        LogProbabilities probabilities = new LogProbabilities(logits.get());
        json.writeName("logprob");
        JsonOutput.number(json, probabilities.of(id));
        if (k > 0) {
            json.writeArrayPropertyStart("top_logprobs");
            for (int top : probabilities.top(k)) {
                json.writeStartObject();
                token(json, top);
                json.writeName("logprob");
                JsonOutput.number(json, probabilities.of(top));
                json.writeEndObject();
            }
            json.writeEndArray();
        }
    }

    private void token(JsonGenerator json, int id) {
        json.writeNumberProperty("id", id);
        if (tokenizer != null) {
            JsonOutput.text(json, "token", tokenizer.token(id));
        }
    }
}
