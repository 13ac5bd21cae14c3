package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/** Converts JSON to variables of a template. */
final class JsonValues {

    private JsonValues() {}

    static Object of(JsonNode node) {
        return of(node, text -> text);
    }

    /**
     * @param strings applied to each string that is not a key
     */
    static Object of(JsonNode node, Function<String, Object> strings) {
        if (node.isObject()) {
            Map<Object, Object> map = new LinkedHashMap<>();
            node.forEachEntry((name, value) -> map.put(name, of(value, strings)));
            return map;
        } else if (node.isArray()) {
            List<Object> list = new ArrayList<>();
            node.forEach(item -> list.add(of(item, strings)));
            return list;
        } else if (node.isString()) {
            return strings.apply(node.stringValue());
        } else if (node.isBoolean()) {
            return node.booleanValue();
        }
        return node.isNull() ? null : node.isIntegralNumber() ? (Object) node.bigIntegerValue() : node.doubleValue();
    }
}
