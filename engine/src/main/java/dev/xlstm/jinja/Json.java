package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The filter tojson as transformers defines it: Python's {@code json.dumps}, without ASCII escapes by default. */
final class Json {

    private final TrackedStringBuilder out;
    private final Budget budget;
    private final boolean ascii;
    private final TrackedString indent; // of one level; null for a single line
    private final TrackedString itemSeparator;
    private final TrackedString keySeparator;
    private final boolean sortKeys;

    /**
     * @param options ensure_ascii, indent, separators, sort_keys
     */
    private Json(Budget budget, Arguments.Bound options) {
        this.budget = budget;
        out = new TrackedStringBuilder(budget);
        ascii = options.flag(0);
        if (options.get(1, null) instanceof TrackedString s) {
            indent = s;
        } else if (options.get(1, null) == null) {
            indent = null;
        } else {
            long width = Math.max(0, options.integer(1));
            budget.chars(width);
            indent = TrackedString.trusted(" ".repeat((int) width));
        }
        if (options.get(2, null) == null) {
            itemSeparator = TrackedString.trusted(indent == null ? ", " : ",");
            keySeparator = TrackedString.trusted(": ");
        } else {
            List<Object> pair = Values.items(budget, options.get(2));
            if (pair.size() != 2) {
                throw new JinjaException("tojson: separators are two strings");
            }
            itemSeparator = Values.string(pair.get(0));
            keySeparator = Values.string(pair.get(1));
        }
        sortKeys = options.flag(3);
    }

    static TrackedString write(Budget budget, Object value, Arguments.Bound options) {
        Json json = new Json(budget, options);
        json.write(value, 0);
        return json.out.build();
    }

    private void write(Object value, int depth) {
        budget.step();
        if (depth > JinjaLimits.NESTING) {
            throw new JinjaException("tojson: a value is nested deeper than " + JinjaLimits.NESTING);
        }
        if (value instanceof TrackedString s) {
            writeString(s);
        } else if (value instanceof Dict dict) {
            writeDict(dict, depth);
        } else if (value instanceof List<?> || value instanceof Tuple) {
            writeList(Values.sequence(value), depth);
        } else {
            out.append(scalar(value));
        }
    }

    private static String scalar(Object value) {
        if (value == null) {
            return "null";
        } else if (value instanceof Boolean b) {
            return b ? "true" : "false";
        } else if (value instanceof Double d && !Double.isFinite(d)) {
            return Double.isNaN(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity";
        } else if (Numbers.isNumber(value)) {
            return Numbers.text(value);
        }
        throw new JinjaException("tojson: a value of type " + Values.type(value) + " has no JSON form");
    }

    private void writeList(List<Object> items, int depth) {
        out.append("[");
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                out.append(itemSeparator);
            }
            newline(depth + 1);
            write(items.get(i), depth + 1);
        }
        if (!items.isEmpty()) {
            newline(depth);
        }
        out.append("]");
    }

    private void writeDict(Dict dict, int depth) {
        List<Object> keys = new ArrayList<>(dict.keys());
        if (sortKeys) {
            keys.sort(Comparator.comparing(key -> key, Values::compare));
        }
        out.append("{");
        for (int i = 0; i < keys.size(); i++) {
            if (i > 0) {
                out.append(itemSeparator);
            }
            newline(depth + 1);
            Object key = keys.get(i);
            if (key instanceof Tuple) {
                throw new JinjaException("tojson: a tuple cannot be a key");
            }
            writeString(key instanceof TrackedString s ? s : TrackedString.trusted(scalar(key)));
            out.append(keySeparator);
            write(dict.get(key, null), depth + 1);
        }
        if (!keys.isEmpty()) {
            newline(depth);
        }
        out.append("}");
    }

    private void newline(int depth) {
        if (indent != null) {
            out.append("\n");
            for (int i = 0; i < depth; i++) {
                out.append(indent);
            }
        }
    }

    private void writeString(TrackedString text) {
        String s = text.toString();
        out.append("\"");
        int from = 0;
        for (int i = 0; i < s.length(); i++) {
            String escape = escape(s.charAt(i));
            if (escape != null) {
                out.append(text, from, i).append(escape, text.isTrusted(i, i + 1));
                from = i + 1;
            }
        }
        out.append(text, from, s.length()).append("\"");
    }

    /** Null if the character needs no escape. */
    private String escape(char c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            default -> c < 0x20 || ascii && c > 0x7e ? String.format("\\u%04x", (int) c) : null;
        };
    }
}
