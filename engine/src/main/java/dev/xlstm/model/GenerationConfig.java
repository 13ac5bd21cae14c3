package dev.xlstm.model;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * The advice of a model's makers (generation_config.json). Nothing in it stops a run: a value that makes no sense is left
 * out, and {@link #ignored} names it.
 */
public final class GenerationConfig {

    private final JsonObject json;
    private final List<Integer> eosIds = new ArrayList<>();
    private final List<String> ignored = new ArrayList<>();

    GenerationConfig(JsonObject json) {
        this.json = json;
        Object eos = json.value("eos_token_id");
        for (Object id : eos instanceof List<?> ids ? ids : eos == null ? List.of() : List.of(eos)) {
            if (id instanceof Integer number && number >= 0) {
                eosIds.add(number);
            } else {
                ignored.add(described("eos_token_id", id));
            }
        }
    }

    /** Ids said to end the text; {@link SpecialTokens} says which of them do. */
    public List<Integer> eosIds() {
        return List.copyOf(eosIds);
    }

    /** Whether the makers ask for the most likely token always; then the other values are leftovers. */
    public boolean isGreedy() {
        return Boolean.FALSE.equals(json.value("do_sample"));
    }

    /** A number of the file; empty if it is missing, null or no number. */
    public OptionalDouble number(String field) {
        return json.value(field) instanceof Number number
                ? OptionalDouble.of(number.doubleValue())
                : OptionalDouble.empty();
    }

    /** A field and its value, for a message; null if the field is missing or null. */
    public String described(String field) {
        Object value = json.value(field);
        return value == null ? null : described(field, value);
    }

    private static String described(String field, Object value) {
        String text = value instanceof String ? "\"" + value + "\"" : String.valueOf(value);
        return "\"" + field + "\": " + (text.length() > 40 ? text.substring(0, 40) + "..." : text);
    }

    /** The path of the file, for messages. */
    public String file() {
        return json.file().toString();
    }

    /** Values that were left out, each with its field. */
    public List<String> ignored() {
        return List.copyOf(ignored);
    }
}
