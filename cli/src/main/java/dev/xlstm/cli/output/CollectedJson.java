package dev.xlstm.cli.output;

import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.generation.CollectingListener;
import java.io.StringWriter;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Keeps a generation for a JSON object: its ids, its text, and its log-probabilities if asked for. */
public class CollectedJson extends CollectingListener {

    private final TokenProbabilities tokens;
    private final StringWriter logprobs = new StringWriter();
    private final JsonGenerator logprobsJson;

    public CollectedJson(TokenProbabilities tokens) {
        this.tokens = tokens;
        logprobsJson = new JsonFactory().createGenerator(ObjectWriteContext.empty(), logprobs);
        logprobsJson.writeStartArray();
    }

    @Override
    public void token(int id, String piece, Supplier<float[]> logits) {
        super.token(id, piece, logits);
        if (tokens.k() >= 0) {
            logprobsJson.writeStartObject();
            tokens.write(logprobsJson, id, logits);
            logprobsJson.writeEndObject();
        }
    }

    /** Writes the fields, once. */
    public void write(JsonGenerator json) {
        logprobsJson.writeEndArray();
        logprobsJson.close();
        JsonOutput.ids(json, "token_ids", ids());
        JsonOutput.text(json, "text", tokens.tokenizer() == null ? null : text());
        if (tokens.k() >= 0) {
            json.writeName("logprobs");
            json.writeRawValue(logprobs.toString());
        }
    }
}
