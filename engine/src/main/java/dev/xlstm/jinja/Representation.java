package dev.xlstm.jinja;

import java.util.List;
import java.util.Locale;

/** Python's {@code str} and {@code repr} of values. */
final class Representation {

    private final TrackedStringBuilder out;

    private Representation(TrackedStringBuilder out) {
        this.out = out;
    }

    /** {@code str(value)}: the text that a template prints. */
    static TrackedString str(Budget budget, Object value) {
        if (value instanceof TrackedString s) {
            return s.asText();
        } else if (value instanceof Undefined) {
            return TrackedString.EMPTY;
        }
        return repr(budget, value);
    }

    static TrackedString repr(Budget budget, Object value) {
        TrackedStringBuilder out = new TrackedStringBuilder(budget);
        new Representation(out).write(value, 0);
        return out.build();
    }

    private void write(Object value, int depth) {
        if (depth > JinjaLimits.NESTING) {
            throw new JinjaException("a value is nested deeper than " + JinjaLimits.NESTING);
        }
        if (value == null) {
            out.append("None");
        } else if (Numbers.isNumber(value)) {
            out.append(Numbers.text(value));
        } else if (value instanceof TrackedString s) {
            out.append(s.isMarkup() ? "Markup(" : "");
            quote(s);
            out.append(s.isMarkup() ? ")" : "");
        } else if (value instanceof Undefined) {
            out.append("Undefined");
        } else if (value instanceof List<?> list) {
            writeAll(list, "[", "]", depth);
        } else if (value instanceof Tuple tuple) {
            writeAll(tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")", depth);
        } else if (value instanceof Dict dict) {
            writePairs(dict, depth);
        } else if (value instanceof DictView view) {
            writeAll(view.items(), "dict_" + lower(view.kind()) + "([", "])", depth);
        } else if (value instanceof IntegerRange range) {
            out.append("range(" + range.start() + ", " + range.stop()
                    + (range.step() == 1 ? ")" : ", " + range.step() + ")"));
        } else if (value instanceof Namespace namespace) {
            Dict attributes = new Dict();
            namespace.attributes().forEach(attributes::put);
            out.append("<Namespace ");
            writePairs(attributes, depth);
            out.append(">");
        } else if (value instanceof Callable callable) {
            out.append(callable.representation());
        } else {
            out.append("<" + Values.type(value) + ">");
        }
    }

    private void writePairs(Dict dict, int depth) {
        out.append("{");
        String separator = "";
        for (Object key : dict.keys()) {
            out.append(separator);
            write(key, depth + 1);
            out.append(": ");
            write(dict.get(key, null), depth + 1);
            separator = ", ";
        }
        out.append("}");
    }

    private void writeAll(List<?> items, String open, String close, int depth) {
        out.append(open);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            write(item, depth + 1);
            separator = ", ";
        }
        out.append(close);
    }

    private void quote(TrackedString text) {
        String chars = text.toString();
        char quote = chars.indexOf('\'') >= 0 && chars.indexOf('"') < 0 ? '"' : '\'';
        out.append(String.valueOf(quote));
        for (int i = 0; i < chars.length(); ) {
            int c = chars.codePointAt(i);
            int end = i + Character.charCount(c);
            boolean isTrusted = text.isTrusted(i, end);
            String escape = escape(c, quote);
            if (escape == null) {
                out.appendCodePoint(c, isTrusted);
            } else {
                out.append(escape, isTrusted);
            }
            i = end;
        }
        out.append(String.valueOf(quote));
    }

    /** Null if the character needs no escape. */
    private static String escape(int c, char quote) {
        return switch (c) {
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            case '\\' -> "\\\\";
            default -> {
                if (c == quote) {
                    yield "\\" + quote;
                } else if (isPrintable(c)) {
                    yield null;
                }
                yield String.format(c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
            }
        };
    }

    static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    static String lower(Object name) {
        return name.toString().toLowerCase(Locale.ROOT);
    }
}
