package dev.xlstm.cli.batch;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.request.GenerationRequest;
import dev.xlstm.request.RequestReader;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.IntNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One line of a batch: a request under an id. A line of OpenAI's batch files has the request in its {@code body}. A fault
 * of the line is part of it, as it must not end the others.
 *
 * @param id as given, a string or a number; the line's number without one
 * @param custom whether the id was given as OpenAI's {@code custom_id}
 * @param request null if there is an error
 * @param state the saved text to continue, or null
 * @param error the fault; null if there is none
 */
record BatchLine(JsonNode id, boolean custom, GenerationRequest request, Path state, String error) {

    private static final String ID = "id";
    private static final String CUSTOM_ID = "custom_id";

    /** Of OpenAI's batch files, whatever the version of the API. */
    private static final List<String> ENDPOINTS = List.of("/completions", "/chat/completions");

    /**
     * Reads a line.
     *
     * @param number of the line, from 1
     * @param defaults for what it does not say; its seed is counted on from line to line
     * @param defaultState to continue where the line names none, or null
     */
    static BatchLine parse(String line, int number, GenerationRequest defaults, Path defaultState) {
        BatchLine failed = failed(IntNode.valueOf(number), "");
        try {
            JsonNode json = JsonMapper.shared().readTree(line);
            if (!(json instanceof ObjectNode object)) {
                throw new BadRequestException("is not a JSON object");
            }
            boolean custom = object.hasNonNull(CUSTOM_ID);
            JsonNode id = custom ? object.get(CUSTOM_ID) : object.hasNonNull(ID) ? object.get(ID) : failed.id;
            if (!id.isString() && !id.isNumber()) {
                throw new BadRequestException("\"" + (custom ? CUSTOM_ID : ID) + "\" must be a string or a number");
            }
            failed = new BatchLine(id, custom, null, null, "");
            object.remove(List.of(ID, CUSTOM_ID));
            ObjectNode body = body(object);
            Path state = defaultState;
            JsonNode named = body.remove("state");
            if (named != null && !named.isNull()) {
                if (!named.isString()) {
                    throw new BadRequestException("\"state\" must be a string");
                }
                state = Path.of(named.stringValue());
            }
            GenerationRequest request = RequestReader.read(body, counted(defaults, number));
            if (!request.hasPrompt() && state == null) {
                throw new BadRequestException("give \"prompt\", \"prompt_ids\" or \"messages\"");
            }
            if (request.messages() != null && state != null) {
                throw new BadRequestException("\"messages\" begin a text: give no state with them");
            }
            return new BatchLine(id, custom, request, state, null);
        } catch (JacksonException e) {
            return failed.because("line " + number + ": is not JSON: " + e.getOriginalMessage());
        } catch (BadRequestException | InvalidPathException e) {
            return failed.because("line " + number + ": " + e.getMessage());
        }
    }

    /** The object that holds the request: of OpenAI's lines the body, else the line itself. */
    private static ObjectNode body(ObjectNode line) {
        JsonNode body = line.get("body");
        if (body == null || body.isNull()) {
            return line;
        }
        if (!(body instanceof ObjectNode object)) {
            throw new BadRequestException("\"body\" must be an object");
        }
        for (String field : line.propertyNames()) {
            boolean known = field.equals("body") || field.equals("method") || field.equals("url");
            if (!known) {
                throw new BadRequestException("unknown field \"" + field + "\" beside \"body\"");
            }
        }
        JsonNode url = line.get("url");
        if (url != null && url.isString() && ENDPOINTS.stream().noneMatch(url.stringValue()::endsWith)) {
            throw new BadRequestException("\"url\" must end with " + String.join(" or ", ENDPOINTS));
        }
        return object;
    }

    private static GenerationRequest counted(GenerationRequest defaults, int number) {
        long seed = defaults.options().sampling().seed() + number - 1;
        return GenerationRequest.defaults(
                defaults.options().withSampling(defaults.options().sampling().withSeed(seed)), defaults.grammar());
    }

    static BatchLine failed(JsonNode id, String error) {
        return new BatchLine(id, false, null, null, error);
    }

    private BatchLine because(String error) {
        return new BatchLine(id, custom, null, null, error);
    }

    /** The name of the id in the result. */
    String idField() {
        return custom ? CUSTOM_ID : ID;
    }
}
