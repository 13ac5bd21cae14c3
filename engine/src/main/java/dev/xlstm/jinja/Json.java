package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** {@code json.dumps} as chat templates call it: non-ASCII characters stay. */
final class Json {

    private final StringBuilder out = new StringBuilder();
    private final Budget budget;
    private final String indent; // of one level, null for one line
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean sortKeys;
    private final boolean ascii;

    private Json(Budget budget, Arguments arguments) {
        this.budget = budget;
        ascii = Values.truth(arguments.get(0, "ensure_ascii", false));
        Object indentation = arguments.get(1, "indent", null);
        indent = indentation == null
                ? null
                : indentation instanceof String s ? s : " ".repeat(Math.clamp(Values.integer(indentation), 0, 100));
        Object separators = arguments.get(2, "separators", null);
        List<Object> pair = separators == null ? null : Values.items(separators);
        itemSeparator = pair != null ? Values.string(pair.get(0)) : indent == null ? ", " : ",";
        keySeparator = pair != null ? Values.string(pair.get(1)) : ": ";
        sortKeys = Values.truth(arguments.get(3, "sort_keys", false));
    }

    static String text(Budget budget, Object value, Arguments arguments) {
        Json json = new Json(budget, arguments);
        json.write(value, 0);
        return budget.made(json.out.toString());
    }

    private void write(Object value, int depth) {
        budget.step();
        if (depth > JinjaLimits.NESTING) {
            throw new JinjaException("tojson: a value is nested too deep");
        }
        if (value == null) {
            out.append("null");
        } else if (value instanceof Boolean || value instanceof Long) {
            out.append(value);
        } else if (value instanceof Double d) {
            String text = Values.floatText(d);
            out.append(
                    switch (text) {
                        case "nan" -> "NaN";
                        case "inf" -> "Infinity";
                        case "-inf" -> "-Infinity";
                        default -> text;
                    });
        } else if (value instanceof String s) {
            string(s);
        } else if (value instanceof Map<?, ?> map) {
            List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
            if (sortKeys) {
                entries.sort(Comparator.comparing(Map.Entry::getKey, Values::compare));
            }
            bracket("{", "}", entries, depth);
        } else if (Values.sequence(value) != null) {
            bracket("[", "]", Values.sequence(value), depth);
        } else {
            throw new JinjaException("tojson: " + Values.type(value) + " has no JSON form");
        }
    }

    private void bracket(String open, String close, List<?> items, int depth) {
        out.append(open);
        for (int i = 0; i < items.size(); i++) {
            out.append(i == 0 ? "" : itemSeparator);
            newline(depth + 1);
            Object item = items.get(i);
            if (item instanceof Map.Entry<?, ?> entry) {
                string(entry.getKey() instanceof String s ? s : Values.text(entry.getKey()));
                out.append(keySeparator);
                item = entry.getValue();
            }
            write(item, depth + 1);
        }
        if (!items.isEmpty()) {
            newline(depth);
        }
        out.append(close);
    }

    private void newline(int depth) {
        if (indent != null) {
            out.append('\n').append(indent.repeat(depth));
        }
    }

    private void string(String text) {
        budget.make(text.length());
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || ascii && c > 0x7e) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
