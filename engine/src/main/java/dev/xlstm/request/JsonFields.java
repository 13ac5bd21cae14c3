package dev.xlstm.request;

import dev.xlstm.error.BadRequestException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** The fields of a JSON object, each read by its type. A field that is null counts as not given. */
final class JsonFields {

    private static final int SHOWN_CHARS = 40;

    private final JsonNode object;
    private final Set<String> read = new HashSet<>();

    JsonFields(JsonNode object) {
        this.object = object;
    }

    boolean has(String field) {
        return get(field) != null;
    }

    /** The value of a field; null if it is not given. */
    JsonNode get(String field) {
        read.add(field);
        JsonNode value = object.get(field);
        return value == null || value.isNull() ? null : value;
    }

    /**
     * Refuses fields that nothing has asked for.
     *
     * @throws BadRequestException naming the first
     */
    void refuseOthers() {
        for (String field : object.propertyNames()) {
            if (!read.contains(field)) {
                String shown = field.length() > SHOWN_CHARS ? field.substring(0, SHOWN_CHARS) + "..." : field;
                throw new BadRequestException("unknown field \"" + shown + "\"");
            }
        }
    }

    String string(String field) {
        return string(get(field), field);
    }

    /** A string, or an array of strings. */
    List<String> strings(String field) {
        JsonNode value = get(field);
        if (value.isString()) {
            return List.of(value.stringValue());
        }
        if (!value.isArray()) {
            throw bad(field, "a string or an array of strings");
        }
        List<String> strings = new ArrayList<>();
        value.forEach(element -> strings.add(string(element, field)));
        return strings;
    }

    int[] ids(String field) {
        JsonNode value = get(field);
        if (!value.isArray()) {
            throw bad(field, "an array of token ids");
        }
        int[] ids = new int[value.size()];
        for (int i = 0; i < ids.length; i++) {
            JsonNode id = value.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
                throw bad(field, "an array of token ids");
            }
            ids[i] = id.intValue();
        }
        return ids;
    }

    boolean flag(String field) {
        JsonNode value = get(field);
        if (!value.isBoolean()) {
            throw bad(field, "true or false");
        }
        return value.booleanValue();
    }

    double number(String field) {
        return number(get(field), field);
    }

    static double number(JsonNode value, String field) {
        if (!value.isNumber()) {
            throw bad(field, "a number");
        }
        return value.doubleValue();
    }

    long wholeNumber(String field) {
        JsonNode value = get(field);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw bad(field, "a whole number");
        }
        return value.longValue();
    }

    int smallNumber(String field) {
        long value = wholeNumber(field);
        if (value != (int) value) {
            throw new BadRequestException("\"" + field + "\" is out of range");
        }
        return (int) value;
    }

    private static String string(JsonNode value, String field) {
        if (!value.isString()) {
            throw bad(field, "a string");
        }
        return value.stringValue();
    }

    static BadRequestException bad(String field, String type) {
        return new BadRequestException("\"" + field + "\" must be " + type);
    }
}
