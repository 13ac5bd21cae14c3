package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;

/**
 * Prints JSON objects, one a line, as events happen: {@code prompt} (with --echo, in pieces), {@code token} for each token
 * with the text it makes certain, and {@code end}. The texts of all events, in order, are the whole text; of several
 * samples the events with one number.
 */
public final class JsonEvents extends GenerationOutput {

    private final TokenProbabilities tokens;
    private final int sample; // counted from 1; 0 if there is only one
    private final StringBuilder text = new StringBuilder(); // certain, and in no event yet
    private long index;

    /**
     * @param sample the number of this sample, counted from 1; 0 if there is only one
     */
    JsonEvents(Streams streams, Interruption interruption, TokenProbabilities tokens, int sample) {
        super(streams, interruption);
        this.tokens = tokens;
        this.sample = sample;
    }

    @Override
    public void echo(String piece) {
        JsonOutput.print(streams, json -> {
            json.writeStringProperty("event", "prompt");
            json.writeStringProperty("text", piece);
        });
    }

    @Override
    public void text(String piece) {
        text.append(piece);
    }

    @Override
    public void token(int id, String piece, Supplier<float[]> logits) {
        text(piece);
        JsonOutput.print(streams, json -> {
            json.writeStringProperty("event", "token");
            numberOf(json);
            json.writeNumberProperty("index", index++);
            tokens.write(json, id, logits);
            textOf(json);
        });
    }

    private void numberOf(JsonGenerator json) {
        if (sample > 0) {
            json.writeNumberProperty("sample", sample);
        }
    }

    private void textOf(JsonGenerator json) {
        if (tokens.tokenizer() != null) {
            json.writeStringProperty("text", text.toString());
        }
        text.setLength(0);
    }

    @Override
    public void end(Result result, boolean goesOn) {
        JsonOutput.print(streams, json -> {
            json.writeStringProperty("event", "end");
            numberOf(json);
            textOf(json);
            result.write(json);
        });
    }
}
