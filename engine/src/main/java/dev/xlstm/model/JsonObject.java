package dev.xlstm.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;

/** One of a model's small JSON files. Values are checked as they are taken; complaints name the file and the field. */
record JsonObject(Path file, JsonNode node) {

    private static final int MAX_BYTES = 16 << 20;
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    static JsonObject read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new ModelException(file, Files.exists(file) ? "is not a regular file" : "no such file");
        }
        if (!Files.isReadable(file)) {
            throw new ModelException(file, "may not be read; check its permissions");
        }
        byte[] utf8;
        try (InputStream in = Files.newInputStream(file)) {
            utf8 = in.readNBytes(MAX_BYTES + 1);
        }
        if (utf8.length > MAX_BYTES) {
            throw new ModelException(file, "is larger than " + MAX_BYTES + " bytes");
        }
        return parse(file, utf8);
    }

    /** As {@link #read}, or an object without fields if there is no such file. */
    static JsonObject readIfThere(Path file) throws IOException {
        return Files.exists(file) ? read(file) : new JsonObject(file, JsonNodeFactory.instance.objectNode());
    }

    static JsonObject parse(Path file, byte[] utf8) throws ModelException {
        JsonNode node;
        try {
            node = MAPPER.readTree(utf8);
        } catch (JacksonException e) {
            throw invalid(file, e);
        }
        if (!node.isObject()) {
            throw new ModelException(file, "is not a JSON object");
        }
        return new JsonObject(file, node);
    }

    static ModelException invalid(Path file, JacksonException e) {
        String reason = e.getOriginalMessage().replaceFirst(" \\(start marker .*", ""); // a place unknown to it
        String line = e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
        return new ModelException(file, "is not valid JSON" + line + ": " + reason);
    }

    /** A field's value, or null if it is absent or null: the two mean the same nearly everywhere. */
    private JsonNode value(String field) {
        JsonNode value = node.get(field);
        return value == null || value.isNull() ? null : value;
    }

    boolean has(String field) {
        return value(field) != null;
    }

    boolean isNull(String field) {
        return node.has(field) && node.get(field).isNull();
    }

    OptionalInt integer(String field, int min, int max) throws ModelException {
        JsonNode value = value(field);
        return value == null ? OptionalInt.empty() : OptionalInt.of(integer(field, value, min, max));
    }

    int integer(String field, int fallback, int min, int max) throws ModelException {
        return integer(field, min, max).orElse(fallback);
    }

    private int integer(String field, JsonNode value, int min, int max) throws ModelException {
        if (!value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.longValue() < min
                || value.longValue() > max) {
            throw problem(field, "is " + shown(value) + ", not a whole number from " + min + " to " + max);
        }
        return (int) value.longValue();
    }

    /** A number or an array of numbers. */
    List<Integer> integers(String field, int min, int max) throws ModelException {
        JsonNode value = value(field);
        List<Integer> integers = new ArrayList<>();
        if (value != null && value.isArray()) {
            for (JsonNode element : value) {
                integers.add(integer(field, element, min, max));
            }
        } else if (value != null) {
            integers.add(integer(field, value, min, max));
        }
        return integers;
    }

    OptionalDouble number(String field, double min, double max) throws ModelException {
        JsonNode value = value(field);
        if (value == null) {
            return OptionalDouble.empty();
        }
        if (!value.isNumber() || !(value.doubleValue() >= min && value.doubleValue() <= max)) {
            throw problem(field, "is " + shown(value) + ", not a number from " + min + " to " + max);
        }
        return OptionalDouble.of(value.doubleValue());
    }

    double number(String field, double fallback, double min, double max) throws ModelException {
        return number(field, min, max).orElse(fallback);
    }

    boolean flag(String field, boolean fallback) throws ModelException {
        JsonNode value = value(field);
        if (value == null) {
            return fallback;
        }
        if (!value.isBoolean()) {
            throw problem(field, "is " + shown(value) + ", not true or false");
        }
        return value.booleanValue();
    }

    Optional<String> string(String field) throws ModelException {
        JsonNode value = value(field);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isString()) {
            throw problem(field, "is " + shown(value) + ", not a string");
        }
        return Optional.of(value.stringValue());
    }

    ModelException problem(String field, String text) {
        return new ModelException(file, "\"" + field + "\" " + text);
    }

    private static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() <= 40 ? text : text.substring(0, 40) + "...";
    }
}
