package dev.xlstm.jinja;

import java.util.List;
import java.util.Map;

/** What a call, a filter or a test is given beside its subject. */
record Arguments(List<Object> positional, Map<String, Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    int size() {
        return positional.size() + named.size();
    }

    boolean has(int index, String name) {
        return index < positional.size() || named.containsKey(name);
    }

    /** The argument at a position or of a name, {@code fallback} if neither is given. */
    Object get(int index, String name, Object fallback) {
        return index < positional.size() ? positional.get(index) : named.getOrDefault(name, fallback);
    }

    Object get(int index, String name) {
        if (!has(index, name)) {
            throw new JinjaException("the argument '" + name + "' is missing");
        }
        return get(index, name, null);
    }

    String string(int index, String name) {
        return Values.string(get(index, name));
    }

    /** A string, null if the argument is none or not given. */
    String stringOrNull(int index, String name) {
        Object value = get(index, name, null);
        return value == null ? null : Values.string(value);
    }

    long integer(int index, String name, long fallback) {
        return Values.integer(get(index, name, fallback));
    }
}
