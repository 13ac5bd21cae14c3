package dev.xlstm.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * A small part of a tokenizer.json with its path, for messages.
 *
 * @param where file and field, for messages
 * @param value a Map, List, String, Number, Boolean or null
 */
record JsonPart(String where, Object value) {

    /** Reads the value at which the parser stands. */
    static JsonPart read(String where, JsonParser parser) throws TokenizerException {
        return new JsonPart(where, readValue(where, parser, new int[] {TokenizerLimits.JSON_VALUES}));
    }

    private static Object readValue(String where, JsonParser parser, int[] left) throws TokenizerException {
        if (--left[0] < 0) {
            throw new TokenizerException(
                    where, "more than " + TokenizerLimits.JSON_VALUES + " values; is this a tokenizer.json?");
        }
        JsonToken token = parser.currentToken();
        switch (token) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                    String name = parser.currentName();
                    parser.nextToken();
                    if (object.containsKey(name)) {
                        throw new TokenizerException(
                                where, TokenizerException.quote(name) + " is there twice; remove one");
                    }
                    object.put(name, readValue(where, parser, left));
                }
                return object;
            }
            case START_ARRAY -> {
                List<Object> array = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    array.add(readValue(where, parser, left));
                }
                return array;
            }
            case VALUE_STRING -> {
                return parser.getString();
            }
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> {
                return parser.getNumberValue();
            }
            case VALUE_TRUE -> {
                return true;
            }
            case VALUE_FALSE -> {
                return false;
            }
            default -> {
                return null;
            }
        }
    }

    boolean isNull() {
        return value == null;
    }

    /** A field of this object; a missing one is null. */
    JsonPart get(String name) throws TokenizerException {
        if (value instanceof Map<?, ?> map) {
            return new JsonPart(where + "." + name, map.get(name));
        }
        throw expected("an object");
    }

    List<JsonPart> list() throws TokenizerException {
        if (!(value instanceof List<?> list)) {
            throw expected("an array");
        }
        List<JsonPart> parts = new ArrayList<>();
        for (Object element : list) {
            parts.add(new JsonPart(where + "[" + parts.size() + "]", element));
        }
        return parts;
    }

    String string() throws TokenizerException {
        if (value instanceof String string) {
            return string;
        }
        throw expected("a string");
    }

    boolean bool() throws TokenizerException {
        if (value instanceof Boolean bool) {
            return bool;
        }
        throw expected("true or false");
    }

    boolean bool(boolean whenMissing) throws TokenizerException {
        return isNull() ? whenMissing : bool();
    }

    /** A token's id, within the limit. */
    int id() throws TokenizerException {
        if (value instanceof Integer id && id >= 0 && id < TokenizerLimits.IDS) {
            return id;
        }
        throw expected("an id from 0 to " + (TokenizerLimits.IDS - 1));
    }

    TokenizerException expected(String what) {
        String found = value instanceof Map ? "an object" : value instanceof List ? "an array" : String.valueOf(value);
        return new TokenizerException(
                where, "found " + TokenizerException.quote(found).replace("\"", "") + ", expected " + what);
    }

    /** An unsupported value. */
    TokenizerException unsupported(String supported) {
        return new TokenizerException(
                where,
                TokenizerException.quote(String.valueOf(value)) + " is not supported; supported are " + supported);
    }
}
