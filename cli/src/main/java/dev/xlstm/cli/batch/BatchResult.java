package dev.xlstm.cli.batch;

import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.output.CollectedJson;
import dev.xlstm.generation.Outcome;
import tools.jackson.databind.json.JsonMapper;

/**
 * The output of one line.
 *
 * @param json an object on one line
 * @param error the fault of the line; null if its text was generated
 */
record BatchResult(String json, String error) {

    static BatchResult of(BatchLine line, CollectedJson collected, Outcome outcome) {
        String json = JsonOutput.object(object -> {
            writeId(object, line);
            collected.write(object);
            object.writeStringProperty("finish_reason", outcome.finishReason().toString());
            if (line.request().grammar() != null) {
                object.writeBooleanProperty("grammar_complete", outcome.grammarComplete());
            }
            if (outcome.stop() != null) {
                object.writeStringProperty("stop", outcome.stop());
            }
            object.writeNumberProperty(
                    "seed", line.request().options().sampling().seed());
            object.writeNumberProperty("prompt_tokens", outcome.promptTokens());
            object.writeNumberProperty("completion_tokens", outcome.tokens());
        });
        return new BatchResult(json, null);
    }

    static BatchResult failed(BatchLine line, String error) {
        String json = JsonOutput.object(object -> {
            writeId(object, line);
            object.writeStringProperty("error", error);
        });
        return new BatchResult(json, error);
    }

    private static void writeId(tools.jackson.core.JsonGenerator object, BatchLine line) {
        object.writeName(line.idField());
        object.writeRawValue(JsonMapper.shared().writeValueAsString(line.id()));
    }
}
