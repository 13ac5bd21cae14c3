package dev.xlstm.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** An object made by {@code namespace(...)}: the only kind of value that a template may change. */
final class Namespace {

    private final Map<String, Object> attributes = new LinkedHashMap<>();

    Map<String, Object> attributes() {
        return attributes;
    }

    void set(String name, Object value) {
        if (name.startsWith("_")) {
            throw new JinjaException("the namespace attribute '" + name + "' begins with an underscore; rename it");
        }
        attributes.put(name, value);
    }
}
