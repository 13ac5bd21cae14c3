package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The methods of strings, maps and lists that templates may call: those that change nothing. */
final class Members {

    private static final Map<String, Function<String, Callable>> OF_STRING = new LinkedHashMap<>();
    private static final Map<String, Function<Map<?, ?>, Callable>> OF_MAP = new LinkedHashMap<>();

    static {
        OF_STRING.put("strip", s -> (b, a) -> PythonText.strip(s, a.stringOrNull(0, "chars")));
        OF_STRING.put("lstrip", s -> (b, a) -> PythonText.lstrip(s, a.stringOrNull(0, "chars")));
        OF_STRING.put("rstrip", s -> (b, a) -> PythonText.rstrip(s, a.stringOrNull(0, "chars")));
        OF_STRING.put("split", s -> (b, a) -> split(b, s, a, true));
        OF_STRING.put("rsplit", s -> (b, a) -> split(b, s, a, false));
        OF_STRING.put("splitlines", s -> (b, a) -> {
            b.makeItems(s.length());
            return PythonText.splitLines(s);
        });
        OF_STRING.put("startswith", s -> (b, a) -> anyOf(a.get(0, "prefix"), s::startsWith));
        OF_STRING.put("endswith", s -> (b, a) -> anyOf(a.get(0, "suffix"), s::endsWith));
        OF_STRING.put("removeprefix", s -> (b, a) -> {
            String prefix = a.string(0, "prefix");
            return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
        });
        OF_STRING.put("removesuffix", s -> (b, a) -> {
            String suffix = a.string(0, "suffix");
            return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
        });
        OF_STRING.put(
                "replace",
                s -> (b, a) -> replace(b, s, a.string(0, "old"), a.string(1, "new"), a.integer(2, "count", -1)));
        OF_STRING.put("upper", s -> (b, a) -> b.made(s.toUpperCase(Locale.ROOT)));
        OF_STRING.put("lower", s -> (b, a) -> b.made(s.toLowerCase(Locale.ROOT)));
        OF_STRING.put("title", s -> (b, a) -> b.made(PythonText.title(s)));
        OF_STRING.put("capitalize", s -> (b, a) -> b.made(capitalize(s)));
        OF_STRING.put("join", s -> (b, a) -> join(b, s, Values.items(a.get(0, "iterable"))));
        OF_STRING.put("find", s -> (b, a) -> place(s, s.indexOf(a.string(0, "sub"))));
        OF_STRING.put("rfind", s -> (b, a) -> place(s, s.lastIndexOf(a.string(0, "sub"))));
        OF_STRING.put("count", s -> (b, a) -> (long) count(s, a.string(0, "sub")));
        OF_STRING.put("isdigit", s -> (b, a) -> all(s, Character::isDigit));
        OF_STRING.put("isalpha", s -> (b, a) -> all(s, Character::isLetter));
        OF_STRING.put("isalnum", s -> (b, a) -> all(s, Character::isLetterOrDigit));
        OF_STRING.put("isspace", s -> (b, a) -> all(s, PythonText::isSpace));
        OF_MAP.put("get", m -> (b, a) -> {
            Object key = a.get(0, "key");
            return m.containsKey(key) ? m.get(key) : a.get(1, "default", null);
        });
        OF_MAP.put("items", m -> (b, a) -> entries(m));
        OF_MAP.put("keys", m -> (b, a) -> new ArrayList<Object>(m.keySet()));
        OF_MAP.put("values", m -> (b, a) -> new ArrayList<Object>(m.values()));
    }

    private Members() {}

    /** The method of that name, null if the value has none. */
    static Callable of(Object value, String name) {
        if (value instanceof String s && OF_STRING.containsKey(name)) {
            return OF_STRING.get(name).apply(s);
        }
        if (value instanceof Map<?, ?> map && OF_MAP.containsKey(name)) {
            return OF_MAP.get(name).apply(map);
        }
        if (Values.sequence(value) != null) {
            List<Object> items = Values.sequence(value);
            if (name.equals("index")) {
                return (b, a) -> index(items, a.get(0, "value"));
            }
            if (name.equals("count")) {
                return (b, a) -> items.stream()
                        .filter(item -> Values.equal(item, a.get(0, "value")))
                        .count();
            }
        }
        return null;
    }

    static List<Object> entries(Map<?, ?> map) {
        List<Object> entries = new ArrayList<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            List<Object> pair = new ArrayList<>();
            pair.add(entry.getKey());
            pair.add(entry.getValue());
            entries.add(new Tuple(pair));
        }
        return entries;
    }

    private static Object split(Budget budget, String text, Arguments arguments, boolean fromLeft) {
        String separator = arguments.stringOrNull(0, "sep");
        if (separator != null && separator.isEmpty()) {
            throw new JinjaException("split: the separator is empty");
        }
        long max = arguments.integer(1, "maxsplit", -1);
        budget.makeItems(text.length());
        return fromLeft ? PythonText.split(text, separator, max) : PythonText.rsplit(text, separator, max);
    }

    private static boolean anyOf(Object affix, Function<String, Boolean> test) {
        if (affix instanceof Tuple tuple) {
            return tuple.items().stream().anyMatch(item -> test.apply(Values.string(item)));
        }
        return test.apply(Values.string(affix));
    }

    static String replace(Budget budget, String text, String old, String replacement, long count) {
        long found = old.isEmpty() ? text.length() + 1L : count(text, old);
        budget.make(text.length() + (count < 0 ? found : Math.min(count, found)) * replacement.length());
        if (count < 0 && !old.isEmpty()) {
            return text.replace(old, replacement);
        }
        StringBuilder result = new StringBuilder();
        int from = 0;
        for (long i = 0; i != count && from <= text.length(); i++) {
            int at = text.indexOf(old, from);
            if (at < 0) {
                break;
            }
            result.append(text, from, at).append(replacement);
            from = at + old.length();
            if (old.isEmpty()) {
                if (from == text.length()) {
                    return result.toString();
                }
                int next = text.offsetByCodePoints(from, 1);
                result.append(text, from, next);
                from = next;
            }
        }
        return result.append(text, from, text.length()).toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return Character.toString(Character.toTitleCase(text.codePointAt(0)))
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String join(Budget budget, String separator, List<Object> items) {
        StringBuilder joined = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            String item = Values.string(items.get(i));
            budget.make(item.length() + separator.length());
            joined.append(i == 0 ? "" : separator).append(item);
        }
        return joined.toString();
    }

    private static long place(String text, int at) {
        return at < 0 ? -1 : text.codePointCount(0, at);
    }

    private static int count(String text, String part) {
        if (part.isEmpty()) {
            return PythonText.length(text) + 1;
        }
        int count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            count++;
        }
        return count;
    }

    private static boolean all(String text, java.util.function.IntPredicate test) {
        return !text.isEmpty() && text.codePoints().allMatch(test);
    }

    private static long index(List<Object> items, Object value) {
        for (int i = 0; i < items.size(); i++) {
            if (Values.equal(items.get(i), value)) {
                return i;
            }
        }
        throw new JinjaException("the value is not in the list");
    }
}
