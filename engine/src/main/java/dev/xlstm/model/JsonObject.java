package dev.xlstm.model;

import dev.xlstm.error.NotFoundException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.dataformat.yaml.YAMLFactory;

/**
 * One of a model's small JSON or YAML files, or an object in it. Each getter checks the value; messages name the file and
 * the field.
 *
 * @param at path of the object in the file: empty, or names that end in a dot
 * @param fields by name: Map, List, String, Number, Boolean or null
 */
record JsonObject(Path file, String at, Map<String, Object> fields) {

    private static final StreamReadConstraints CONSTRAINTS =
            StreamReadConstraints.builder().maxNestingDepth(ModelLimits.NESTING).build();

    // the streaming parser alone: data binding would double the time to open a model
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(CONSTRAINTS)
            .build();

    static JsonObject read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            if (Files.exists(file)) {
                throw new ModelException(file, "is not a regular file");
            }
            throw new NotFoundException(file, "no such file");
        }
        if (!Files.isReadable(file)) {
            throw new ModelException(file, "may not be read; check its permissions");
        }
        byte[] utf8;
        try (InputStream in = Files.newInputStream(file)) {
            utf8 = in.readNBytes(ModelLimits.FILE_BYTES + 1);
        }
        if (utf8.length > ModelLimits.FILE_BYTES) {
            throw new ModelException(file, "is larger than " + ModelLimits.FILE_BYTES + " bytes");
        }
        return parse(file, utf8);
    }

    /** As {@link #read}, or an object without fields if there is no such file. */
    static JsonObject readIfThere(Path file) throws IOException {
        return Files.exists(file) ? read(file) : new JsonObject(file, "", Map.of());
    }

    static JsonObject parse(Path file, byte[] utf8) throws ModelException {
        boolean yaml = file.toString().endsWith(".yaml");
        if (isUtf16(utf8)) {
            throw new ModelException(file, "is UTF-16 text; save it as UTF-8");
        }
        try (JsonParser in = yaml ? Yaml.parser(utf8) : FACTORY.createParser(ObjectReadContext.empty(), utf8)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw new ModelException(file, yaml ? "is not a YAML mapping" : "is not a JSON object");
            }
            Map<String, Object> fields = new Reader(file, in).object();
            if (in.nextToken() != null) {
                throw new ModelException(file, "has more text after its closing brace");
            }
            return new JsonObject(file, "", fields);
        } catch (JacksonException e) {
            throw invalid(file, e);
        }
    }

    private static boolean isUtf16(byte[] bytes) {
        return bytes.length >= 2
                && (bytes[0] == (byte) 0xFF && bytes[1] == (byte) 0xFE
                        || bytes[0] == (byte) 0xFE && bytes[1] == (byte) 0xFF
                        || bytes[0] == 0
                        || bytes[1] == 0);
    }

    /** The JSON of an object made of the types in {@link #fields}. */
    static byte[] write(Map<String, Object> fields) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
            write(json, fields);
        }
        return out.toByteArray();
    }

    private static void write(JsonGenerator json, Object value) {
        if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            map.forEach((name, element) -> {
                json.writeName((String) name);
                write(json, element);
            });
            json.writeEndObject();
        } else if (value instanceof List<?> list) {
            json.writeStartArray();
            list.forEach(element -> write(json, element));
            json.writeEndArray();
        } else if (value instanceof String text) {
            json.writeString(text);
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else if (value == null) {
            json.writeNull();
        } else {
            json.writeNumber(value.toString());
        }
    }

    /** Builds plain objects from the parser's events, up to the limits. */
    private static final class Reader {
        private final Path file;
        private final JsonParser in;
        private int values;

        Reader(Path file, JsonParser in) {
            this.file = file;
            this.in = in;
        }

        Map<String, Object> object() throws ModelException {
            Map<String, Object> fields = new LinkedHashMap<>();
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String name = in.currentName();
                in.nextToken();
                fields.put(name, value());
            }
            return fields;
        }

        private Object value() throws ModelException {
            if (++values > ModelLimits.VALUES) {
                throw new ModelException(file, "holds more than " + ModelLimits.VALUES + " values");
            }
            return switch (in.currentToken()) {
                case START_OBJECT -> object();
                case START_ARRAY -> {
                    List<Object> elements = new ArrayList<>();
                    while (in.nextToken() != JsonToken.END_ARRAY) {
                        elements.add(value());
                    }
                    yield elements;
                }
                case VALUE_STRING -> in.getString();
                case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> in.getNumberValue();
                case VALUE_TRUE -> true;
                case VALUE_FALSE -> false;
                default -> null;
            };
        }
    }

    static ModelException invalid(Path file, JacksonException e) {
        String reason = e.getOriginalMessage().replaceFirst(" \\(start marker .*", ""); // an unknown position
        String line = e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
        String language = file.toString().endsWith(".yaml") ? "YAML" : "JSON";
        return new ModelException(file, "is not valid " + language + line + ": " + reason);
    }

    /** A class of its own, so that the YAML library is loaded for YAML files only. */
    private static final class Yaml {
        private static final YAMLFactory FACTORY = YAMLFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .streamReadConstraints(CONSTRAINTS)
                .build();

        /** Replaces surrogates, which make the library fail where one comes last in its buffer; no config needs any. */
        static JsonParser parser(byte[] utf8) {
            String text = new String(utf8, StandardCharsets.UTF_8)
                    .replaceFirst("^\uFEFF", "") // a byte order mark
                    .replaceAll("[^\\x{0}-\\x{FFFF}]", "\uFFFD");
            return FACTORY.createParser(ObjectReadContext.empty(), text);
        }
    }

    /** Whether the field exists; its value may be null. */
    boolean has(String field) {
        return fields.containsKey(field);
    }

    /** A field's value; null if it is absent or null, which mean the same except where {@link #has} is asked. */
    Object value(String field) {
        return fields.get(field);
    }

    /** The object in a field; an object without fields if the field is absent or null. */
    JsonObject object(String field) throws ModelException {
        Object value = value(field);
        if (value == null) {
            return new JsonObject(file, at + field + ".", Map.of());
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> inner = new LinkedHashMap<>();
            map.forEach((name, element) -> inner.put((String) name, element));
            return new JsonObject(file, at + field + ".", inner);
        }
        throw problem(field, "is " + shown(value) + ", not an object");
    }

    OptionalInt integer(String field, int min, int max) throws ModelException {
        Object value = value(field);
        return value == null ? OptionalInt.empty() : OptionalInt.of(integer(field, value, min, max));
    }

    int integer(String field, int fallback, int min, int max) throws ModelException {
        return integer(field, min, max).orElse(fallback);
    }

    private int integer(String field, Object value, int min, int max) throws ModelException {
        boolean whole = value instanceof Integer || value instanceof Long; // larger ones are other types
        if (!whole || ((Number) value).longValue() < min || ((Number) value).longValue() > max) {
            throw problem(field, "is " + shown(value) + ", not a whole number from " + min + " to " + max);
        }
        return ((Number) value).intValue();
    }

    /** A number or an array of numbers. */
    List<Integer> integers(String field, int min, int max) throws ModelException {
        Object value = value(field);
        List<Integer> integers = new ArrayList<>();
        if (value instanceof List<?> elements) {
            for (Object element : elements) {
                integers.add(integer(field, element, min, max));
            }
        } else if (value != null) {
            integers.add(integer(field, value, min, max));
        }
        return integers;
    }

    OptionalDouble number(String field, double min, double max) throws ModelException {
        Object value = value(field);
        if (value == null) {
            return OptionalDouble.empty();
        }
        double number = value instanceof Number n ? n.doubleValue() : Double.NaN;
        if (!(number >= min && number <= max)) {
            throw problem(field, "is " + shown(value) + ", not a number from " + min + " to " + max);
        }
        return OptionalDouble.of(number);
    }

    double number(String field, double fallback, double min, double max) throws ModelException {
        return number(field, min, max).orElse(fallback);
    }

    boolean flag(String field, boolean fallback) throws ModelException {
        Object value = value(field);
        if (value == null) {
            return fallback;
        }
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw problem(field, "is " + shown(value) + ", not true or false");
    }

    Optional<String> string(String field) throws ModelException {
        Object value = value(field);
        if (value == null || value instanceof String) {
            return Optional.ofNullable((String) value);
        }
        throw problem(field, "is " + shown(value) + ", not a string");
    }

    ModelException problem(String field, String text) {
        return new ModelException(file, "\"" + at + field + "\" " + text);
    }

    /** A value as a message shows it: short, on one line. */
    static String shown(Object value) {
        if (value instanceof List || value instanceof Map) {
            return value instanceof List ? "an array" : "an object";
        }
        String text = value instanceof String ? "\"" + value + "\"" : String.valueOf(value);
        return text.length() <= 40 ? text : text.substring(0, 40) + "...";
    }
}
