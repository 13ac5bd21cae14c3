package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;

/** Prints one JSON object at the end. */
public final class JsonResult extends GenerationOutput {

    private final CollectedJson collected;
    private final StringBuilder prompt = new StringBuilder();

    JsonResult(Streams streams, Interruption interruption, TokenProbabilities tokens) {
        super(streams, interruption);
        collected = new CollectedJson(tokens);
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
    }

    @Override
    public void end(Result result, boolean goesOn) {
        JsonOutput.print(streams, json -> write(json, result));
    }

    /** Writes the fields of the object; to be called once. */
    public void write(JsonGenerator json, Result result) {
        if (!prompt.isEmpty()) {
            json.writeStringProperty("prompt", prompt.toString());
        }
        collected.write(json);
        result.write(json);
    }
}
