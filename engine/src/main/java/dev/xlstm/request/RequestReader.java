package dev.xlstm.request;

import dev.xlstm.chat.Message;
import dev.xlstm.error.BadRequestException;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.sampling.SamplingParameter;
import dev.xlstm.sampling.StepName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Reads a request from a JSON object. A field that is missing or null takes its default; a field that is unknown is
 * refused, as it might be a misspelt one.
 */
public final class RequestReader {

    /** Fields of OpenAI's API that change nothing of the text: accounts, labels, the choice of a server's model. */
    private static final List<String> IGNORED =
            List.of("model", "user", "metadata", "store", "service_tier", "safety_identifier", "stream_options");

    private RequestReader() {}

    /** The fields that a request may have, sorted. */
    public static Set<String> fields() {
        Set<String> fields = new TreeSet<>(List.of(
                "prompt",
                "prompt_ids",
                "messages",
                "max_tokens",
                "max_completion_tokens",
                "stop",
                "stop_ids",
                "ignore_eos",
                "samplers",
                "seed",
                "logit_bias",
                "logprobs",
                "top_logprobs",
                "grammar",
                "json_schema",
                "response_format",
                "n",
                "stream"));
        for (SamplingParameter parameter : SamplingParameter.values()) {
            fields.add(parameter.jsonName());
        }
        fields.addAll(IGNORED);
        return fields;
    }

    /**
     * Reads a request.
     *
     * @param json an object
     * @param defaults for what it does not say
     * @throws BadRequestException naming the field that is wrong
     */
    public static GenerationRequest read(JsonNode json, GenerationRequest defaults) {
        if (!json.isObject()) {
            throw new BadRequestException("is not a JSON object");
        }
        JsonFields fields = new JsonFields(json);
        String prompt = null;
        int[] promptIds = fields.has("prompt_ids") ? fields.ids("prompt_ids") : null;
        if (fields.has("prompt") && fields.get("prompt").isArray()) { // as OpenAI's API has it
            if (promptIds != null) {
                throw new BadRequestException("give \"prompt\" or \"prompt_ids\", not both");
            }
            promptIds = fields.ids("prompt");
        } else if (fields.has("prompt")) {
            prompt = fields.string("prompt");
        }
        List<Message> messages = fields.has("messages") ? messages(fields.get("messages")) : null;
        GenerationRequest request = new GenerationRequest(
                prompt,
                promptIds,
                messages,
                options(fields, defaults.options()),
                grammar(fields, defaults.grammar()),
                logprobs(fields, defaults.logprobs()));
        IGNORED.forEach(fields::get);
        fields.refuseOthers();
        if (prompt != null && promptIds != null) {
            throw new BadRequestException("give \"prompt\" or \"prompt_ids\", not both");
        }
        if (messages != null && (prompt != null || promptIds != null)) {
            throw new BadRequestException("give \"messages\" or a prompt, not both");
        }
        return request;
    }

    private static List<Message> messages(JsonNode array) {
        if (!array.isArray() || array.isEmpty()) {
            throw JsonFields.bad("messages", "an array of objects with \"role\" and \"content\"");
        }
        List<Message> messages = new ArrayList<>();
        for (JsonNode element : array) {
            if (!element.isObject()) {
                throw JsonFields.bad("messages", "an array of objects with \"role\" and \"content\"");
            }
            JsonFields message = new JsonFields(element);
            if (!message.has("role")) {
                throw new BadRequestException("a message of \"messages\" has no \"role\"");
            }
            messages.add(Message.of(message.string("role"), content(message)));
            message.refuseOthers();
        }
        return messages;
    }

    /** A string, or parts of type text. */
    private static String content(JsonFields message) {
        JsonNode content = message.get("content");
        if (content == null || !content.isArray()) {
            return content == null ? "" : message.string("content");
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode element : content) {
            JsonFields part = new JsonFields(element);
            if (!element.isObject() || !part.has("type") || !part.string("type").equals("text") || !part.has("text")) {
                throw JsonFields.bad("content", "a string, or parts of type \"text\"");
            }
            text.append(part.string("text"));
            part.refuseOthers();
        }
        return text.toString();
    }

    private static GenerationOptions options(JsonFields fields, GenerationOptions defaults) {
        GenerationOptions options = defaults.withSampling(sampling(fields, defaults.sampling()));
        for (String field : List.of("max_tokens", "max_completion_tokens")) {
            if (fields.has(field)) {
                options = options.withMaxTokens(fields.smallNumber(field));
            }
        }
        if (fields.has("stop")) {
            options = options.withStop(fields.strings("stop"));
        }
        if (fields.has("stop_ids")) {
            Set<Integer> ids = new LinkedHashSet<>();
            IntStream.of(fields.ids("stop_ids")).forEach(ids::add);
            options = options.withStopIds(ids);
        }
        if (fields.has("ignore_eos")) {
            options = options.withIgnoreEos(fields.flag("ignore_eos"));
        }
        if (fields.has("n") && fields.wholeNumber("n") != 1) {
            throw new BadRequestException("\"n\" must be 1: each request has one answer");
        }
        if (fields.has("stream") && fields.flag("stream")) {
            throw new BadRequestException("\"stream\" must be false");
        }
        return options;
    }

    private static SamplingOptions sampling(JsonFields fields, SamplingOptions defaults) {
        SamplingOptions sampling = defaults;
        for (SamplingParameter parameter : SamplingParameter.values()) {
            String field = parameter.jsonName();
            if (fields.has(field)) {
                double value = parameter.isWhole() ? fields.smallNumber(field) : fields.number(field);
                sampling = sampling.with(parameter, value);
            }
        }
        if (fields.has("samplers")) {
            sampling = sampling.withOrder(StepName.parseList(String.join(";", fields.strings("samplers"))));
        }
        if (fields.has("seed")) {
            sampling = sampling.withSeed(fields.wholeNumber("seed"));
        }
        if (fields.has("logit_bias")) {
            sampling = sampling.withLogitBias(logitBias(fields.get("logit_bias")));
        }
        return sampling;
    }

    /** {@code {"42": 1.5}}, as OpenAI's API has it. */
    private static Map<Integer, Float> logitBias(JsonNode object) {
        if (!object.isObject()) {
            throw JsonFields.bad("logit_bias", "an object of token ids and numbers");
        }
        Map<Integer, Float> biases = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            int id;
            try {
                id = Integer.parseInt(entry.getKey());
            } catch (NumberFormatException e) {
                throw JsonFields.bad("logit_bias", "an object of token ids and numbers");
            }
            biases.put(id, (float) JsonFields.number(entry.getValue(), "logit_bias"));
        }
        return biases;
    }

    /** {@code "logprobs": 3}, or as for chats {@code "logprobs": true, "top_logprobs": 3}. */
    private static int logprobs(JsonFields fields, int defaults) {
        JsonNode value = fields.get("logprobs");
        boolean top = fields.has("top_logprobs");
        if (value == null || value.isNumber()) {
            if (top) {
                throw new BadRequestException("\"top_logprobs\" needs \"logprobs\": true");
            }
            int k = value == null ? defaults : fields.smallNumber("logprobs");
            if (k < 0 && value != null) {
                throw new BadRequestException("\"logprobs\" must be at least 0");
            }
            return k;
        }
        boolean wanted = fields.flag("logprobs");
        int k = top ? fields.smallNumber("top_logprobs") : 0;
        if (k < 0 || top && !wanted) {
            throw new BadRequestException(
                    k < 0 ? "\"top_logprobs\" must be at least 0" : "\"top_logprobs\" needs \"logprobs\": true");
        }
        return wanted ? k : -1;
    }

    private static Grammar grammar(JsonFields fields, Grammar defaults) {
        JsonNode schema = schema(fields);
        if (fields.has("grammar") && schema != null) {
            throw new BadRequestException("give \"grammar\" or a JSON schema, not both");
        }
        if (fields.has("grammar")) {
            return named("grammar", Grammar::parse, fields.string("grammar"));
        }
        if (schema == null) {
            return defaults;
        }
        return named(
                "json_schema", Grammar::ofJsonSchema, schema.isString() ? schema.stringValue() : schema.toString());
    }

    private interface GrammarParser {
        Grammar parse(String source);
    }

    private static Grammar named(String field, GrammarParser parser, String source) {
        try {
            return parser.parse(source);
        } catch (BadRequestException e) {
            throw new BadRequestException("\"" + field + "\": " + e.getMessage(), e);
        }
    }

    /** From {@code json_schema}, or OpenAI's {@code response_format}; null if neither asks for JSON. */
    private static JsonNode schema(JsonFields fields) {
        JsonNode schema = fields.get("json_schema");
        JsonNode format = fields.get("response_format");
        if (format == null) {
            return schema;
        }
        if (schema != null) {
            throw new BadRequestException("give \"json_schema\" or \"response_format\", not both");
        }
        JsonNode type = format.get("type");
        String name = type != null && type.isString() ? type.stringValue() : "";
        switch (name) {
            case "text":
                return null;
            case "json_object":
                return JsonNodeFactory.instance.objectNode().put("type", "object");
            case "json_schema":
                JsonNode wrapper = format.get("json_schema");
                if (wrapper == null || !wrapper.isObject() || wrapper.get("schema") == null) {
                    throw new BadRequestException("\"response_format\" has no \"json_schema\" with a \"schema\"");
                }
                return wrapper.get("schema");
            default:
                throw new BadRequestException(
                        "\"response_format\" must have the type text, json_object or json_schema");
        }
    }
}
