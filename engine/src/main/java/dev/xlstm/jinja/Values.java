package dev.xlstm.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Python's view of values: null is None, further Boolean, Long, Double, String, List, {@link Tuple}, Map,
 * {@link Namespace}, {@link Callable} and {@link Undefined}.
 */
final class Values {

    private Values() {}

    static boolean truth(Object value) {
        if (value == null || value instanceof Undefined) {
            return false;
        } else if (value instanceof Boolean b) {
            return b;
        } else if (isNumber(value)) {
            return number(value) != 0;
        } else if (value instanceof String s) {
            return !s.isEmpty();
        } else if (value instanceof Map<?, ?> map) {
            return !map.isEmpty();
        }
        List<Object> items = sequence(value);
        return items == null || !items.isEmpty();
    }

    /** Python's name of the value's type. */
    static String type(Object value) {
        if (value == null) {
            return "None";
        } else if (value instanceof Boolean) {
            return "bool";
        } else if (value instanceof Long) {
            return "int";
        } else if (value instanceof Double) {
            return "float";
        } else if (value instanceof String) {
            return "str";
        } else if (value instanceof List<?>) {
            return "list";
        } else if (value instanceof Map<?, ?>) {
            return "dict";
        } else if (value instanceof Callable) {
            return "function";
        }
        return value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    static String string(Object value) {
        if (value instanceof String s) {
            return s;
        }
        if (value instanceof Undefined u) {
            throw u.complaint();
        }
        throw new JinjaException("a string is needed, not " + type(value));
    }

    static long integer(Object value) {
        if (value instanceof Long n) {
            return n;
        } else if (value instanceof Boolean b) {
            return b ? 1 : 0;
        } else if (value instanceof Undefined u) {
            throw u.complaint();
        }
        throw new JinjaException("an integer is needed, not " + type(value));
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static double number(Object value) {
        return value instanceof Double d ? d : integer(value);
    }

    /** What a loop goes over: items, the keys of a map, the characters of a string. */
    static List<Object> items(Object value) {
        if (value instanceof List<?> list) {
            return uncheckedList(list);
        } else if (value instanceof Tuple tuple) {
            return tuple.items();
        } else if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        } else if (value instanceof String s) {
            return s.codePoints()
                    .mapToObj(Character::toString)
                    .map(Object.class::cast)
                    .toList();
        } else if (value instanceof Undefined) {
            return List.of();
        }
        throw new JinjaException("cannot loop over " + type(value));
    }

    @SuppressWarnings("unchecked")
    private static List<Object> uncheckedList(List<?> list) {
        return (List<Object>) list;
    }

    static boolean equal(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b) == 0;
        }
        if (a instanceof Tuple s && b instanceof Tuple t) {
            return equal(s.items(), t.items());
        }
        if (a instanceof List<?> s && b instanceof List<?> t) {
            if (s.size() != t.size()) {
                return false;
            }
            for (int i = 0; i < s.size(); i++) {
                if (!equal(s.get(i), t.get(i))) {
                    return false;
                }
            }
            return true;
        }
        if (a instanceof Undefined && b instanceof Undefined) {
            return true;
        }
        return a == null ? b == null : a.equals(b);
    }

    private static int compareNumbers(Object a, Object b) {
        return a instanceof Double || b instanceof Double
                ? Double.compare(number(a) + 0.0, number(b) + 0.0)
                : Long.compare(integer(a), integer(b));
    }

    static int compare(Object a, Object b) {
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b);
        }
        if (a instanceof String s && b instanceof String t) {
            int[] x = s.codePoints().toArray();
            int[] y = t.codePoints().toArray();
            return Arrays.compare(x, y);
        }
        if (a instanceof Undefined u) {
            throw u.complaint();
        }
        if (b instanceof Undefined u) {
            throw u.complaint();
        }
        List<Object> s = sequence(a);
        List<Object> t = sequence(b);
        if (s == null || t == null || a.getClass() != b.getClass()) {
            throw new JinjaException("cannot compare " + type(a) + " with " + type(b));
        }
        for (int i = 0; i < Math.min(s.size(), t.size()); i++) {
            if (!equal(s.get(i), t.get(i))) {
                return compare(s.get(i), t.get(i));
            }
        }
        return Integer.compare(s.size(), t.size());
    }

    /** The items of a list or tuple, null for other values. */
    static List<Object> sequence(Object value) {
        return value instanceof List<?> || value instanceof Tuple ? items(value) : null;
    }

    static boolean contains(Object container, Object value) {
        if (container instanceof String s) {
            return s.contains(string(value));
        } else if (container instanceof Map<?, ?> map) {
            return map.containsKey(value);
        }
        for (Object item : items(container)) {
            if (equal(item, value)) {
                return true;
            }
        }
        return false;
    }

    /** {@code container[key]}, else the attribute of that name; {@link Undefined} if there is neither. */
    static Object item(Object container, Object key) {
        if (container instanceof Undefined u) {
            throw u.complaint();
        }
        if (container instanceof Map<?, ?> map && map.containsKey(key)) {
            return map.get(key);
        }
        if (key instanceof Long n) {
            List<Object> items = sequence(container);
            if (items != null) {
                long index = n < 0 ? n + items.size() : n;
                return index >= 0 && index < items.size()
                        ? items.get((int) index)
                        : new Undefined(type(container) + " index " + n);
            }
            if (container instanceof String s) {
                int length = PythonText.length(s);
                long index = n < 0 ? n + length : n;
                return index >= 0 && index < length
                        ? PythonText.pick(s, (int) index, 1, 1)
                        : new Undefined("str index " + n);
            }
        }
        if (key instanceof String name) {
            Object member = Members.of(container, name);
            return member != null ? member : new Undefined(type(container) + " item '" + name + "'");
        }
        return new Undefined("item of " + type(container));
    }

    /** {@code container.name}: an attribute, else the item of that name. */
    static Object attribute(Object container, String name) {
        if (container instanceof Undefined u) {
            throw u.complaint();
        }
        if (container instanceof Namespace namespace) {
            return namespace.attributes.containsKey(name)
                    ? namespace.attributes.get(name)
                    : new Undefined("namespace attribute '" + name + "'");
        }
        Object member = Members.of(container, name);
        if (member != null) {
            return member;
        }
        if (container instanceof Map<?, ?> map && map.containsKey(name)) {
            return map.get(name);
        }
        return new Undefined(type(container) + " attribute '" + name + "'");
    }

    /** {@code container[from:to:by]}; each bound may be null. */
    static Object slice(Object container, Object from, Object to, Object by) {
        long step = by == null ? 1 : integer(by);
        if (step == 0) {
            throw new JinjaException("a slice cannot go by steps of 0");
        }
        List<Object> items = sequence(container);
        if (items == null && !(container instanceof String)) {
            if (container instanceof Undefined u) {
                throw u.complaint();
            }
            throw new JinjaException("cannot take a slice of " + type(container));
        }
        int length = items != null ? items.size() : PythonText.length((String) container);
        long low = step > 0 ? 0 : -1;
        long high = step > 0 ? length : length - 1;
        long begin = from == null ? (step > 0 ? low : high) : bound(integer(from), length, low, high);
        long end = to == null ? (step > 0 ? high : low) : bound(integer(to), length, low, high);
        long count = step > 0 ? Math.ceilDiv(end - begin, step) : Math.ceilDiv(begin - end, -step);
        count = Math.max(0, count);
        if (container instanceof String s) {
            return count == 0 ? "" : PythonText.pick(s, (int) begin, Math.clamp(step, -length, length), (int) count);
        }
        List<Object> slice = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            slice.add(items.get((int) (begin + i * step)));
        }
        return container instanceof Tuple ? new Tuple(slice) : slice;
    }

    private static long bound(long index, int length, long low, long high) {
        return Math.clamp(index < 0 ? index + length : index, low, high);
    }

    /** {@code str(value)}: how the value is printed. */
    static String text(Object value) {
        if (value instanceof String s) {
            return s;
        } else if (value instanceof Undefined) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        represent(value, text, 0);
        return text.toString();
    }

    private static void represent(Object value, StringBuilder to, int depth) {
        if (depth > JinjaLimits.NESTING) {
            throw new JinjaException("a value is nested too deep");
        }
        if (value == null) {
            to.append("None");
        } else if (value instanceof Boolean b) {
            to.append(b ? "True" : "False");
        } else if (value instanceof Long n) {
            to.append(n);
        } else if (value instanceof Double d) {
            to.append(floatText(d));
        } else if (value instanceof String s) {
            quote(s, to);
        } else if (value instanceof Undefined) {
            to.append("Undefined");
        } else if (value instanceof List<?> list) {
            representAll(list, "[", "]", to, depth);
        } else if (value instanceof Tuple tuple) {
            representAll(tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")", to, depth);
        } else if (value instanceof Map<?, ?> map) {
            to.append("{");
            String separator = "";
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                to.append(separator);
                represent(entry.getKey(), to, depth + 1);
                to.append(": ");
                represent(entry.getValue(), to, depth + 1);
                separator = ", ";
            }
            to.append("}");
        } else {
            to.append("<").append(type(value)).append(">");
        }
    }

    private static void representAll(Collection<?> items, String open, String close, StringBuilder to, int depth) {
        to.append(open);
        String separator = "";
        for (Object item : items) {
            to.append(separator);
            represent(item, to, depth + 1);
            separator = ", ";
        }
        to.append(close);
    }

    private static void quote(String text, StringBuilder to) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        to.append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> to.append("\\n");
                case '\r' -> to.append("\\r");
                case '\t' -> to.append("\\t");
                case '\\' -> to.append("\\\\");
                default -> {
                    if (c == quote) {
                        to.append('\\').append(quote);
                    } else if (c < 0x20 || c == 0x7f) {
                        to.append(String.format("\\x%02x", c));
                    } else if (c > 0x7f && !printable(c)) {
                        to.append(String.format(c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
                    } else {
                        to.appendCodePoint(c);
                    }
                }
            }
        });
        to.append(quote);
    }

    private static boolean printable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }

    /** The shortest decimal that reads back as the same double, in Python's layout. */
    static String floatText(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }
        double size = Math.abs(value);
        if (size != 0 && (size < 1e-4 || size >= 1e16)) {
            String text = Double.toString(value); // d.ddEx
            int e = text.indexOf('E');
            if (e < 0) {
                text = new BigDecimal(text).stripTrailingZeros().toString().replace("E+", "E");
                e = text.indexOf('E');
            }
            String digits = text.substring(0, e);
            int exponent = Integer.parseInt(text.substring(e + 1));
            digits = digits.endsWith(".0") ? digits.substring(0, digits.length() - 2) : digits;
            return digits + "e" + (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "")
                    + Math.abs(exponent);
        }
        String plain = new BigDecimal(Double.toString(value)).toPlainString();
        return size == 0 ? (1 / value < 0 ? "-0.0" : "0.0") : plain.contains(".") ? plain : plain + ".0";
    }
}
