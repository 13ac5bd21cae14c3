package dev.xlstm.cli.batch;

import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.sampling.SamplingParameter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.IntNode;

/**
 * One line of a batch: what to continue, and how. What is wrong with it is part of it, as it must not end the others.
 *
 * @param id as given, a string or a number; the line's number without one
 * @param prompt text, or null
 * @param promptIds ids as they are, or null
 * @param state the saved text to continue, or null
 * @param error what is wrong; all else but the id is then null
 */
record BatchLine(JsonNode id, String prompt, int[] promptIds, Path state, GenerationOptions options, String error) {

    static final Set<String> FIELDS = Set.of(
            "id",
            "prompt",
            "prompt_ids",
            "state",
            "max_tokens",
            "stop",
            "stop_ids",
            "ignore_eos",
            "temperature",
            "top_k",
            "top_p",
            "min_p",
            "repetition_penalty",
            "presence_penalty",
            "frequency_penalty",
            "repeat_last_n",
            "seed");

    /**
     * Reads a line.
     *
     * @param number of the line, from 1
     * @param defaults for what it does not say; its seed is counted on from line to line
     * @param defaultState to continue where the line names none, or null
     */
    static BatchLine parse(String line, int number, GenerationOptions defaults, Path defaultState) {
        JsonNode id = IntNode.valueOf(number);
        try {
            JsonNode json = JsonMapper.shared().readTree(line);
            if (!json.isObject()) {
                throw new IllegalArgumentException("is not a JSON object");
            }
            if (json.has("id")) {
                if (!json.get("id").isString() && !json.get("id").isNumber()) {
                    throw new IllegalArgumentException("\"id\" must be a string or a number");
                }
                id = json.get("id");
            }
            for (Map.Entry<String, JsonNode> field : json.properties()) {
                if (!FIELDS.contains(field.getKey())) {
                    throw new IllegalArgumentException("unknown field \"" + shorten(field.getKey()) + "\"");
                }
            }
            String prompt = json.has("prompt") ? string(json.get("prompt"), "prompt") : null;
            int[] ids = json.has("prompt_ids") ? ids(json.get("prompt_ids"), "prompt_ids") : null;
            Path state = json.has("state") ? Path.of(string(json.get("state"), "state")) : defaultState;
            if (prompt != null && ids != null || prompt == null && ids == null && state == null) {
                throw new IllegalArgumentException("give either \"prompt\" or \"prompt_ids\"");
            }
            return new BatchLine(id, prompt, ids, state, options(json, number, defaults), null);
        } catch (JacksonException e) {
            return failed(id, "line " + number + ": is not JSON: " + e.getOriginalMessage());
        } catch (IllegalArgumentException e) { // of a path, too
            return failed(id, "line " + number + ": " + e.getMessage());
        }
    }

    static BatchLine failed(JsonNode id, String error) {
        return new BatchLine(id, null, null, null, null, error);
    }

    private static GenerationOptions options(JsonNode json, int number, GenerationOptions defaults) {
        SamplingOptions sampling = defaults.sampling()
                .withSeed(
                        json.has("seed")
                                ? integer(json, "seed")
                                : defaults.sampling().seed() + number - 1);
        for (SamplingParameter parameter : SamplingParameter.values()) {
            String field = parameter.jsonName();
            if (json.has(field)) {
                sampling = sampling.with(parameter, parameter.isWhole() ? small(json, field) : number(json, field));
            }
        }
        GenerationOptions options = defaults.withSampling(sampling);
        if (json.has("max_tokens")) {
            options = options.withMaxTokens(small(json, "max_tokens"));
        }
        if (json.has("stop")) {
            options = options.withStop(strings(json.get("stop")));
        }
        if (json.has("stop_ids")) {
            Set<Integer> ids = new LinkedHashSet<>();
            for (int id : ids(json.get("stop_ids"), "stop_ids")) {
                ids.add(id);
            }
            options = options.withStopIds(ids);
        }
        if (json.has("ignore_eos")) {
            if (!json.get("ignore_eos").isBoolean()) {
                throw new IllegalArgumentException("\"ignore_eos\" must be true or false");
            }
            options = options.withIgnoreEos(json.get("ignore_eos").booleanValue());
        }
        return options;
    }

    private static String string(JsonNode value, String field) {
        if (!value.isString()) {
            throw new IllegalArgumentException("\"" + field + "\" must be a string");
        }
        return value.stringValue();
    }

    private static List<String> strings(JsonNode value) {
        if (value.isString()) {
            return List.of(value.stringValue());
        }
        if (!value.isArray()) {
            throw new IllegalArgumentException("\"stop\" must be a string or an array of strings");
        }
        List<String> strings = new ArrayList<>();
        value.forEach(element -> strings.add(string(element, "stop")));
        return strings;
    }

    private static int[] ids(JsonNode value, String field) {
        if (!value.isArray()) {
            throw new IllegalArgumentException("\"" + field + "\" must be an array of token ids");
        }
        int[] ids = new int[value.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = value.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
                throw new IllegalArgumentException("\"" + field + "\" must be an array of token ids");
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    private static float number(JsonNode json, String field) {
        if (!json.get(field).isNumber()) {
            throw new IllegalArgumentException("\"" + field + "\" must be a number");
        }
        return json.get(field).floatValue();
    }

    private static long integer(JsonNode json, String field) {
        JsonNode value = json.get(field);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw new IllegalArgumentException("\"" + field + "\" must be a whole number");
        }
        return value.longValue();
    }

    private static int small(JsonNode json, String field) {
        long value = integer(json, field);
        if (value != (int) value) {
            throw new IllegalArgumentException("\"" + field + "\" is out of range");
        }
        return (int) value;
    }

    private static String shorten(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }
}
