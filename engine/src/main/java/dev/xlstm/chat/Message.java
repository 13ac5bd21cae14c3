package dev.xlstm.chat;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.jinja.TrackedString;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A message as a chat template sees it.
 *
 * @param fields "role", "content" and whatever else a client sent; all text in them is untrusted, but for a role that is
 *     one of the usual words
 */
public record Message(Map<Object, Object> fields) {

    private static final Set<String> ROLES =
            Set.of("system", "developer", "user", "assistant", "tool", "function", "ipython");

    private static final int MAX_NESTING = 32;

    /** A message of text that somebody wrote. */
    public static Message of(String role, String content) {
        return of(role, untrusted(content));
    }

    static Message of(String role, TrackedString content) {
        return new Message(Map.of("role", ROLES.contains(role) ? role : untrusted(role), "content", content));
    }

    private static TrackedString untrusted(String text) {
        return TrackedString.untrusted(Placeholder.without(text));
    }

    /**
     * Reads a conversation from JSON: an array of objects with "role" and "content", as chat interfaces take them, or an
     * object with such an array as "messages". Further fields, such as "reasoning_content" or "tool_calls", are passed to
     * the template.
     *
     * @throws BadRequestException naming the message and field, if it is something else
     */
    public static List<Message> list(String json) {
        JsonNode root;
        try {
            root = JsonMapper.shared().readTree(json);
        } catch (JacksonException e) {
            throw new BadRequestException("messages: not JSON: " + e.getOriginalMessage());
        }
        return list(root.isObject() ? root.path("messages") : root);
    }

    /** As {@link #list(String)}, from a parsed array. */
    public static List<Message> list(JsonNode array) {
        if (!array.isArray() || array.isEmpty()) {
            throw new BadRequestException(
                    "messages: must be an array of objects like {\"role\": \"user\", \"content\": \"Hello!\"}");
        }
        List<Message> messages = new ArrayList<>();
        for (JsonNode node : array) {
            String place = "messages[" + messages.size() + "]";
            if (!node.isObject() || !node.path("role").isString()) {
                throw new BadRequestException(place + ": must be an object with a string \"role\"");
            }
            if (!node.has("content") && node.size() == 1) {
                throw new BadRequestException(place + ": has no \"content\"");
            }
            Map<Object, Object> fields = new LinkedHashMap<>();
            node.forEachEntry((name, value) -> fields.put(untrusted(name), value(value, place + "." + name, 0)));
            String role = node.path("role").asString();
            if (ROLES.contains(role)) {
                fields.put(TrackedString.trusted("role"), role);
            }
            messages.add(new Message(fields));
        }
        return messages;
    }

    private static Object value(JsonNode node, String place, int depth) {
        if (depth > MAX_NESTING) {
            throw new BadRequestException(place + ": is nested too deep");
        } else if (node.isNull()) {
            return null;
        } else if (node.isBoolean()) {
            return node.asBoolean();
        } else if (node.isIntegralNumber()) {
            return node.bigIntegerValue();
        } else if (node.isNumber()) {
            return node.asDouble();
        } else if (node.isArray()) {
            List<Object> items = new ArrayList<>();
            node.forEach(item -> items.add(value(item, place, depth + 1)));
            return items;
        } else if (node.isObject()) {
            Map<Object, Object> fields = new LinkedHashMap<>();
            node.forEachEntry((name, field) -> fields.put(untrusted(name), value(field, place, depth + 1)));
            return fields;
        }
        return untrusted(node.asString());
    }
}
