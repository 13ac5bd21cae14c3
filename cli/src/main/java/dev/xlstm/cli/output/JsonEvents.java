package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;

/**
 * Prints a JSON object a line, while they happen: {@code prompt} (with --echo, in pieces), {@code token} for each token with
 * the text that it made certain, and {@code end}. The text is that of all events, one after the other; of several samples
 * those of one number.
 */
public final class JsonEvents extends GenerationOutput {

    private final TokenProbabilities tokens;
    private final int sample; // counted from 1; 0 if there is one only
    private final StringBuilder text = new StringBuilder();
    private int id = -1; // of the token whose event is due
    private float[] logits; // it was chosen from
    private long index;

    /**
     * @param sample which of several, counted from 1; 0 if there is one only
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
    public void token(int id, Supplier<float[]> logits) {
        this.id = id;
        if (tokens.k() >= 0) {
            this.logits = logits.get().clone();
        }
    }

    /** Asked before each token: the text of the one before has come. */
    @Override
    public boolean cancelled() {
        tokenEvent();
        return super.cancelled();
    }

    private void tokenEvent() {
        if (id < 0) {
            return;
        }
        JsonOutput.print(streams, json -> {
            json.writeStringProperty("event", "token");
            numberOf(json);
            json.writeNumberProperty("index", index++);
            tokens.write(json, id, logits);
            textOf(json);
        });
        id = -1;
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
        tokenEvent();
        JsonOutput.print(streams, json -> {
            json.writeStringProperty("event", "end");
            numberOf(json);
            textOf(json);
            result.write(json);
        });
    }
}
