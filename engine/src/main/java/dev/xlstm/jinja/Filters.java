package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What stands behind {@code |}. */
final class Filters {

    interface Filter {
        Object apply(Budget budget, Object value, Arguments arguments);
    }

    private static final Map<String, Filter> FILTERS = new LinkedHashMap<>();

    static {
        FILTERS.put("trim", (b, v, a) -> PythonText.strip(Values.text(v), a.stringOrNull(0, "chars")));
        FILTERS.put("length", (b, v, a) -> length(v));
        FILTERS.put("count", (b, v, a) -> length(v));
        FILTERS.put("tojson", Json::text);
        FILTERS.put("string", (b, v, a) -> Values.text(v));
        FILTERS.put("safe", (b, v, a) -> v);
        FILTERS.put("upper", (b, v, a) -> b.made(Values.text(v).toUpperCase(Locale.ROOT)));
        FILTERS.put("lower", (b, v, a) -> b.made(Values.text(v).toLowerCase(Locale.ROOT)));
        FILTERS.put("title", (b, v, a) -> b.made(PythonText.title(Values.text(v))));
        FILTERS.put("capitalize", (b, v, a) -> b.made(Members.capitalize(Values.text(v))));
        FILTERS.put(
                "replace",
                (b, v, a) -> Members.replace(
                        b,
                        Values.text(v),
                        Values.text(a.get(0, "old")),
                        Values.text(a.get(1, "new")),
                        a.integer(2, "count", -1)));
        FILTERS.put("indent", Filters::indent);
        FILTERS.put("default", Filters::fallback);
        FILTERS.put("d", Filters::fallback);
        FILTERS.put("int", (b, v, a) -> toInteger(v, a.get(0, "default", 0L)));
        FILTERS.put("float", (b, v, a) -> toFloat(v, a.get(0, "default", 0.0)));
        FILTERS.put("abs", (b, v, a) -> v instanceof Double d ? Math.abs(d) : (Object) Math.abs(Values.integer(v)));
        FILTERS.put("round", (b, v, a) -> round(Values.number(v), a.integer(0, "precision", 0)));
        FILTERS.put("join", Filters::join);
        FILTERS.put("first", (b, v, a) -> end(v, true));
        FILTERS.put("last", (b, v, a) -> end(v, false));
        FILTERS.put("list", (b, v, a) -> copy(b, v));
        FILTERS.put("reverse", Filters::reverse);
        FILTERS.put("items", (b, v, a) -> v instanceof Undefined ? List.of() : Members.entries(map(v)));
        FILTERS.put("dictsort", (b, v, a) -> {
            List<Object> entries = Members.entries(map(v));
            entries.sort((x, y) -> compare(Values.item(x, 0L), Values.item(y, 0L), false));
            return entries;
        });
        FILTERS.put("sort", Filters::sort);
        FILTERS.put("unique", Filters::unique);
        FILTERS.put("sum", (b, v, a) -> {
            Object sum = a.get(1, "start", 0L);
            for (Object item : Values.items(v)) {
                sum = Operators.arithmetic(b, "+", sum, item);
            }
            return sum;
        });
        FILTERS.put("min", (b, v, a) -> extreme(v, 1));
        FILTERS.put("max", (b, v, a) -> extreme(v, -1));
        FILTERS.put("map", Filters::map);
        FILTERS.put("select", (b, v, a) -> select(b, v, a, false, true));
        FILTERS.put("reject", (b, v, a) -> select(b, v, a, false, false));
        FILTERS.put("selectattr", (b, v, a) -> select(b, v, a, true, true));
        FILTERS.put("rejectattr", (b, v, a) -> select(b, v, a, true, false));
    }

    private Filters() {}

    /** The filter, null if there is none of that name. */
    static Filter get(String name) {
        return FILTERS.get(name);
    }

    private static Filter known(String name) {
        Filter filter = get(name);
        if (filter == null) {
            throw new JinjaException("no filter named '" + name + "' is known");
        }
        return filter;
    }

    static long length(Object value) {
        return value instanceof String s
                ? PythonText.length(s)
                : Values.items(value).size();
    }

    private static Map<?, ?> map(Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new JinjaException("a dict is needed, not " + Values.type(value));
        }
        return map;
    }

    private static List<Object> copy(Budget budget, Object value) {
        List<Object> items = Values.items(value);
        budget.makeItems(items.size());
        return new ArrayList<>(items);
    }

    private static Object fallback(Budget budget, Object value, Arguments arguments) {
        boolean alsoFalse = Values.truth(arguments.get(1, "boolean", false));
        boolean missing = value instanceof Undefined || alsoFalse && !Values.truth(value);
        return missing ? arguments.get(0, "default_value", "") : value;
    }

    private static Object indent(Budget budget, Object value, Arguments arguments) {
        Object width = arguments.get(0, "width", 4L);
        boolean first = Values.truth(arguments.get(1, "first", false));
        boolean blank = Values.truth(arguments.get(2, "blank", false));
        String space = width instanceof String s ? s : " ".repeat(Math.clamp(Values.integer(width), 0, 1000));
        StringBuilder result = new StringBuilder();
        String[] lines = Values.text(value).split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            budget.make(lines[i].length() + space.length());
            result.append(i == 0 ? "" : "\n");
            if (i == 0 ? first : blank || !lines[i].isEmpty()) {
                result.append(space);
            }
            result.append(lines[i]);
        }
        return result.toString();
    }

    private static Object toInteger(Object value, Object fallback) {
        if (value instanceof Double d) {
            return (long) (double) d;
        }
        if (Values.isNumber(value)) {
            return Values.integer(value);
        }
        try {
            return value instanceof String s ? (Object) (long) Double.parseDouble(s.strip()) : fallback;
        } catch (NumberFormatException e) {
            return fallback;
        }
    }

    private static Object toFloat(Object value, Object fallback) {
        if (Values.isNumber(value)) {
            return Values.number(value);
        }
        try {
            return value instanceof String s ? (Object) Double.parseDouble(s.strip()) : fallback;
        } catch (NumberFormatException e) {
            return fallback;
        }
    }

    private static double round(double value, long precision) {
        double scale = Math.pow(10, precision);
        return Math.rint(value * scale) / scale;
    }

    private static Object join(Budget budget, Object value, Arguments arguments) {
        String separator = Values.text(arguments.get(0, "d", ""));
        String attribute = arguments.stringOrNull(1, "attribute");
        StringBuilder joined = new StringBuilder();
        boolean first = true;
        for (Object item : Values.items(value)) {
            String text = Values.text(attribute == null ? item : path(item, attribute));
            budget.make(text.length() + separator.length());
            joined.append(first ? "" : separator).append(text);
            first = false;
        }
        return joined.toString();
    }

    private static Object end(Object value, boolean first) {
        List<Object> items = Values.items(value);
        return items.isEmpty()
                ? new Undefined((first ? "first" : "last") + " item of an empty sequence")
                : items.get(first ? 0 : items.size() - 1);
    }

    private static Object reverse(Budget budget, Object value, Arguments arguments) {
        if (value instanceof String s) {
            return budget.made(new StringBuilder(s).reverse().toString());
        }
        List<Object> items = copy(budget, value);
        Collections.reverse(items);
        return items;
    }

    /** The item at a path of names and indices joined by dots. */
    private static Object path(Object value, Object path) {
        Object at = value;
        if (path instanceof Long) {
            return Values.item(value, path);
        }
        for (String name : Values.string(path).split("\\.")) {
            boolean index = name.matches("[0-9]{1,18}"); // what fits a long
            at = Values.item(at, index ? (Object) Long.parseLong(name) : name);
        }
        return at;
    }

    private static int compare(Object a, Object b, boolean caseSensitive) {
        boolean fold = !caseSensitive && a instanceof String && b instanceof String;
        return fold
                ? Values.compare(((String) a).toLowerCase(Locale.ROOT), ((String) b).toLowerCase(Locale.ROOT))
                : Values.compare(a, b);
    }

    private static Object sort(Budget budget, Object value, Arguments arguments) {
        boolean reverse = Values.truth(arguments.get(0, "reverse", false));
        boolean caseSensitive = Values.truth(arguments.get(1, "case_sensitive", false));
        Object attribute = arguments.get(2, "attribute", null);
        Comparator<Object> order = (a, b) -> {
            budget.step();
            return compare(
                    attribute == null ? a : path(a, attribute),
                    attribute == null ? b : path(b, attribute),
                    caseSensitive);
        };
        List<Object> items = copy(budget, value);
        items.sort(reverse ? order.reversed() : order);
        return items;
    }

    private static Object unique(Budget budget, Object value, Arguments arguments) {
        List<Object> seen = new ArrayList<>();
        List<Object> items = new ArrayList<>();
        for (Object item : Values.items(value)) {
            Object key = item instanceof String s ? s.toLowerCase(Locale.ROOT) : item;
            for (int i = 0; i < seen.size(); i++) {
                budget.step();
            }
            if (!Values.contains(seen, key)) {
                seen.add(key);
                items.add(item);
            }
        }
        return items;
    }

    private static Object extreme(Object value, int sign) {
        Object best = null;
        for (Object item : Values.items(value)) {
            if (best == null || compare(item, best, false) * sign < 0) {
                best = item;
            }
        }
        return best == null ? new Undefined("extreme of an empty sequence") : best;
    }

    private static Arguments rest(Arguments arguments, int from) {
        return new Arguments(
                arguments.positional().subList(from, arguments.positional().size()), Map.of());
    }

    private static Object map(Budget budget, Object value, Arguments arguments) {
        List<Object> mapped = new ArrayList<>();
        Object attribute = arguments.named().get("attribute");
        Object fallback = arguments.named().get("default");
        for (Object item : Values.items(value)) {
            budget.step();
            if (attribute == null) {
                Filter filter = known(arguments.string(0, "filter"));
                mapped.add(filter.apply(budget, item, rest(arguments, 1)));
            } else {
                Object found = path(item, attribute);
                mapped.add(found instanceof Undefined && fallback != null ? fallback : found);
            }
        }
        return mapped;
    }

    private static Object select(
            Budget budget, Object value, Arguments arguments, boolean byAttribute, boolean wanted) {
        List<Object> selected = new ArrayList<>();
        int testAt = byAttribute ? 1 : 0;
        for (Object item : Values.items(value)) {
            budget.step();
            Object subject = byAttribute ? path(item, arguments.get(0, "attribute")) : item;
            boolean holds = arguments.positional().size() > testAt
                    ? Tests.known(arguments.string(testAt, "test")).holds(subject, rest(arguments, testAt + 1))
                    : Values.truth(subject);
            if (holds == wanted) {
                selected.add(item);
            }
        }
        return selected;
    }
}
