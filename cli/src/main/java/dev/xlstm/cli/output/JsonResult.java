package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.generation.CollectingListener;
import java.io.StringWriter;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Prints one JSON object at the end. */
public final class JsonResult extends GenerationOutput {

    private final CollectingListener collected = new CollectingListener();
    private final StringBuilder prompt = new StringBuilder();
    private final boolean hasText;
    private final TokenProbabilities tokens;
    private final StringWriter logprobs = new StringWriter();
    private final JsonGenerator logprobsJson;

    JsonResult(Streams streams, Interruption interruption, boolean hasText, TokenProbabilities tokens) {
        super(streams, interruption);
        this.hasText = hasText;
        this.tokens = tokens;
        logprobsJson = new JsonFactory().createGenerator(ObjectWriteContext.empty(), logprobs);
        logprobsJson.writeStartArray();
    }

    @Override
    public void echo(String piece) {
        prompt.append(piece);
    }

    @Override
    public void text(String piece) {
        collected.text(piece);
    }

    @Override
    public void token(int id, String piece, Supplier<float[]> logits) {
        collected.token(id, piece, logits);
        if (tokens.k() >= 0) {
            logprobsJson.writeStartObject();
            tokens.write(logprobsJson, id, logits);
            logprobsJson.writeEndObject();
        }
    }

    @Override
    public void end(Result result, boolean goesOn) {
        JsonOutput.print(streams, json -> write(json, result));
    }

    /** Writes the fields of the object; to be called once. */
    public void write(JsonGenerator json, Result result) {
        logprobsJson.writeEndArray();
        logprobsJson.close();
        if (!prompt.isEmpty()) {
            json.writeStringProperty("prompt", prompt.toString());
        }
        JsonOutput.ids(json, "token_ids", collected.ids());
        JsonOutput.text(json, "text", hasText ? collected.text() : null);
        if (tokens.k() >= 0) {
            json.writeName("logprobs");
            json.writeRawValue(logprobs.toString());
        }
        result.write(json);
    }
}
