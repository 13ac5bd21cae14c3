package dev.xlstm.cli.output;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.Outcome;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;

/** Prints a generation: as text, as one JSON object, or as JSON events. */
public abstract class GenerationOutput implements GenerationListener {

    final Streams streams;
    private final Interruption interruption;

    public GenerationOutput(Streams streams, Interruption interruption) {
        this.streams = streams;
        this.interruption = interruption;
    }

    /** Prints a piece of the prompt, with --echo. */
    public void echo(String piece) {
        text(piece);
    }

    /**
     * Prints what belongs at the end.
     *
     * @param goesOn whether a saved state lets a later run continue the text
     */
    public abstract void end(Result result, boolean goesOn);

    @Override
    public boolean cancelled() {
        return interruption.requested();
    }

    /**
     * The outcome, with the fields that all JSON output shares.
     *
     * @param constrained whether a grammar constrained the text
     * @param bandwidth null for texts generated in a batch
     */
    public record Result(Outcome outcome, boolean constrained, long seed, String device, Bandwidth bandwidth) {

        /** Speed, end and seed, for stderr. */
        public String statistics() {
            return String.format(
                    Locale.ROOT,
                    "prefill %d tokens in %.2f s (%.1f/s), decode %d tokens in %.2f s (%.1f/s%s), end: %s, seed %d, on %s",
                    outcome.promptTokens(),
                    outcome.prefillSeconds(),
                    outcome.prefillRate(),
                    outcome.tokens(),
                    outcome.decodeSeconds(),
                    outcome.decodeRate(),
                    bandwidth == null || outcome.decodeRate() == 0 ? "" : ", " + bandwidth.text(),
                    outcome.finishReason(),
                    seed,
                    device);
        }

        void write(JsonGenerator json) {
            json.writeStringProperty("finish_reason", outcome.finishReason().toString());
            if (constrained) {
                json.writeBooleanProperty("grammar_complete", outcome.grammarComplete());
            }
            if (outcome.stop() != null) {
                json.writeStringProperty("stop", outcome.stop());
            }
            json.writeNumberProperty("seed", seed);
            json.writeStringProperty("device", device);
            json.writeObjectPropertyStart("usage");
            json.writeNumberProperty("prompt_tokens", outcome.promptTokens());
            json.writeNumberProperty("completion_tokens", outcome.tokens());
            json.writeNumberProperty("total_tokens", outcome.promptTokens() + outcome.tokens());
            json.writeEndObject();
            json.writeObjectPropertyStart("timings");
            json.writeNumberProperty("prefill_seconds", outcome.prefillSeconds());
            json.writeNumberProperty("prefill_tokens_per_second", outcome.prefillRate());
            json.writeNumberProperty("decode_seconds", outcome.decodeSeconds());
            json.writeNumberProperty("decode_tokens_per_second", outcome.decodeRate());
            if (bandwidth != null) {
                bandwidth.write(json);
            }
            json.writeEndObject();
        }
    }
}
