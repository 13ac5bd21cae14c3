package dev.xlstm.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Python's operations on values. null is None; the other types are Boolean, Long, BigInteger, Double,
 * {@link TrackedString}, List, {@link Tuple}, {@link Dict}, {@link DictView}, {@link IntegerRange}, {@link Generator},
 * {@link Namespace}, {@link LoopState}, {@link Cycler}, {@link Callable} and {@link Undefined}. Lists are never changed
 * once a template can see them.
 */
final class Values {

    private Values() {}

    /**
     * Converts what a program passes to a template: strings are trusted unless they are {@link TrackedString}s.
     *
     * @throws IllegalArgumentException if a value has another type than {@link Template#render} lists
     */
    static Object of(Object value) {
        return of(value, 0);
    }

    private static Object of(Object value, int depth) {
        if (depth > JinjaLimits.NESTING) {
            throw new JinjaException("a value is nested deeper than " + JinjaLimits.NESTING);
        }
        if (value instanceof String s) {
            return TrackedString.trusted(s);
        } else if (value instanceof Map<?, ?> map) {
            Dict dict = new Dict();
            map.forEach((key, item) -> dict.put(of(key, depth + 1), of(item, depth + 1)));
            return dict;
        } else if (value instanceof List<?> list) {
            List<Object> items = new ArrayList<>();
            list.forEach(item -> items.add(of(item, depth + 1)));
            return items;
        } else if (value instanceof Integer n) {
            return (long) n;
        } else if (value instanceof BigInteger n) {
            return Numbers.integer(n);
        } else if (value instanceof BigDecimal n) {
            return n.doubleValue();
        } else if (value == null
                || value instanceof Boolean
                || value instanceof Long
                || value instanceof Double
                || value instanceof TrackedString
                || value instanceof Callable) {
            return value;
        }
        throw new IllegalArgumentException("a template cannot take a " + value.getClass());
    }

    static boolean truth(Object value) {
        if (value == null || value instanceof Undefined) {
            return false;
        } else if (value instanceof Boolean b) {
            return b;
        } else if (value instanceof Double d) {
            return d != 0;
        } else if (value instanceof Long n) {
            return n != 0;
        } else if (value instanceof Generator) {
            return true;
        }
        return !hasLength(value) || length(value) > 0;
    }

    /** Python's name of the value's type. */
    static String type(Object value) {
        if (value == null) {
            return "None";
        } else if (value instanceof Boolean) {
            return "bool";
        } else if (Numbers.isInteger(value)) {
            return "int";
        } else if (value instanceof Double) {
            return "float";
        } else if (value instanceof TrackedString) {
            return "str";
        } else if (value instanceof List<?>) {
            return "list";
        } else if (value instanceof Tuple) {
            return "tuple";
        } else if (value instanceof Dict) {
            return "dict";
        } else if (value instanceof DictView view) {
            return "dict_" + Representation.lower(view.kind());
        } else if (value instanceof LoopState) {
            return "loop";
        } else if (value instanceof Callable) {
            return "function";
        }
        return value instanceof IntegerRange
                ? "range"
                : Representation.lower(value.getClass().getSimpleName());
    }

    /** The string, or an error if the value is none. */
    static TrackedString string(Object value) {
        if (value instanceof TrackedString s) {
            return s;
        }
        throw typeError("a string is needed", value);
    }

    /** The int as an index or a count, clamped to a long. */
    static long integer(Object value) {
        if (value instanceof BigInteger big) {
            return big.signum() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        } else if (Numbers.isInteger(value)) {
            return Numbers.big(value).longValue();
        }
        throw typeError("an integer is needed", value);
    }

    private static JinjaException typeError(String problem, Object value) {
        return value instanceof Undefined u ? u.error() : new JinjaException(problem + ", not " + type(value));
    }

    /** The items that a loop visits; consumes a generator. */
    static List<Object> items(Budget budget, Object value) {
        List<Object> sequence = sequence(value);
        if (sequence != null) {
            return sequence;
        } else if (value instanceof Dict dict) {
            budget.items(dict.size());
            return dict.keys();
        } else if (value instanceof DictView view) {
            return view.items();
        } else if (value instanceof TrackedString s) {
            budget.items(s.length());
            return PythonStrings.characters(s);
        } else if (value instanceof Generator generator) {
            return generator.remaining();
        } else if (value instanceof Undefined) {
            return List.of();
        }
        throw new JinjaException("cannot loop over a value of type " + type(value));
    }

    static boolean isIterable(Object value) {
        return value instanceof Undefined
                || value instanceof TrackedString
                || value instanceof Dict
                || value instanceof DictView
                || value instanceof Generator
                || value instanceof LoopState
                || sequence(value) != null;
    }

    /** The items of a list, tuple or range, null for other values. */
    @SuppressWarnings("unchecked")
    static List<Object> sequence(Object value) {
        if (value instanceof List<?> list) {
            return (List<Object>) list;
        } else if (value instanceof Tuple tuple) {
            return tuple.items();
        }
        return value instanceof IntegerRange range ? range.items() : null;
    }

    private static boolean hasLength(Object value) {
        return value instanceof Undefined
                || value instanceof TrackedString
                || value instanceof Dict
                || value instanceof DictView
                || value instanceof LoopState
                || sequence(value) != null;
    }

    static long length(Object value) {
        if (value instanceof TrackedString s) {
            return PythonStrings.length(s);
        } else if (value instanceof Dict dict) {
            return dict.size();
        } else if (value instanceof DictView view) {
            return view.items().size();
        } else if (value instanceof LoopState loop) {
            return loop.length();
        } else if (value instanceof Undefined) {
            return 0;
        }
        List<Object> items = sequence(value);
        if (items == null) {
            throw new JinjaException("a value of type " + type(value) + " has no length");
        }
        return items.size();
    }

    /** Whether the value has a length and takes an index. */
    static boolean isSequence(Object value) {
        return hasLength(value) && !(value instanceof DictView) && !(value instanceof LoopState);
    }

    static boolean equal(Object a, Object b) {
        if (a == b) {
            return !Numbers.isNaN(a);
        } else if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
            return Numbers.equal(a, b);
        } else if (a instanceof Undefined && b instanceof Undefined) {
            return true;
        } else if (a instanceof Tuple s && b instanceof Tuple t) {
            return equalItems(s.items(), t.items());
        } else if (a instanceof List<?> s && b instanceof List<?> t) {
            return equalItems(s, t);
        } else if (a instanceof IntegerRange s && b instanceof IntegerRange t) {
            return equalItems(s.items(), t.items());
        } else if (a instanceof Dict s && b instanceof Dict t) {
            if (s.size() != t.size()) {
                return false;
            }
            for (Object key : s.keys()) {
                if (!t.contains(key) || !equal(s.get(key, null), t.get(key, null))) {
                    return false;
                }
            }
            return true;
        } else if (a instanceof DictView s && b instanceof DictView t && s.kind() != DictView.Kind.VALUES) {
            return s.kind() == t.kind()
                    && s.items().size() == t.items().size()
                    && s.items().stream().allMatch(item -> contains(null, t, item));
        }
        return a instanceof TrackedString && a.equals(b);
    }

    private static boolean equalItems(List<?> s, List<?> t) {
        if (s.size() != t.size()) {
            return false;
        }
        for (int i = 0; i < s.size(); i++) {
            if (s.get(i) != t.get(i) && !equal(s.get(i), t.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@code a operator b} holds, for {@code < <= > >=}. */
    static boolean compares(String operator, Object a, Object b) {
        if (Numbers.isNumber(a) && Numbers.isNumber(b) && (Numbers.isNaN(a) || Numbers.isNaN(b))) {
            return false;
        }
        int order = compare(a, b);
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    static int compare(Object a, Object b) {
        if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
            return Numbers.isNaN(a) || Numbers.isNaN(b) ? 0 : Numbers.compare(a, b);
        }
        if (a instanceof TrackedString s && b instanceof TrackedString t) {
            return s.compareCodePoints(t);
        }
        if (a instanceof Undefined u) {
            throw u.error();
        }
        if (b instanceof Undefined u) {
            throw u.error();
        }
        boolean sequences = a instanceof Tuple && b instanceof Tuple || a instanceof List<?> && b instanceof List<?>;
        if (!sequences) {
            throw new JinjaException("cannot compare " + type(a) + " with " + type(b));
        }
        List<Object> s = sequence(a);
        List<Object> t = sequence(b);
        for (int i = 0; i < Math.min(s.size(), t.size()); i++) {
            if (!equal(s.get(i), t.get(i))) {
                return compare(s.get(i), t.get(i));
            }
        }
        return Integer.compare(s.size(), t.size());
    }

    /**
     * Whether {@code value in container}.
     *
     * @param budget may be null where the container is not a string
     */
    static boolean contains(Budget budget, Object container, Object value) {
        if (container instanceof TrackedString s) {
            return s.toString().contains(string(value).toString());
        } else if (container instanceof Dict dict) {
            return dict.contains(value);
        } else if (container instanceof Generator generator) {
            while (generator.hasNext()) {
                if (equal(generator.next(), value)) {
                    return true;
                }
            }
            return false;
        }
        if (container instanceof DictView view && view.kind() == DictView.Kind.KEYS) {
            Dict.hashKey(value); // an error if it cannot be a key
        }
        for (Object item : items(budget, container)) {
            if (item == value || equal(item, value)) {
                return true;
            }
        }
        return false;
    }

    /** {@code container[key]}, else the attribute of that name; {@link Undefined} if there is neither. */
    static Object item(Object container, Object key) {
        if (container instanceof Undefined u) {
            throw u.error();
        }
        if (container instanceof Dict dict && isHashable(key) && dict.contains(key)) {
            return dict.get(key, null);
        }
        if (key instanceof Long || key instanceof Boolean) {
            long n = integer(key);
            List<Object> items = sequence(container);
            int length =
                    items != null ? items.size() : container instanceof TrackedString s ? PythonStrings.length(s) : 0;
            long index = n < 0 ? n + length : n;
            if (index >= 0 && index < length) {
                return items != null
                        ? items.get((int) index)
                        : PythonStrings.pick((TrackedString) container, (int) index, 1, 1);
            }
        }
        if (key instanceof TrackedString name) {
            Object member = Members.of(container, name.toString());
            if (member != Members.ABSENT) {
                return member;
            }
        }
        return missing(container, key);
    }

    private static boolean isHashable(Object key) {
        return !(key instanceof List<?> || key instanceof Dict);
    }

    private static Undefined missing(Object container, Object key) {
        String name =
                key instanceof TrackedString s ? "'" + s + "'" : Numbers.isNumber(key) ? Numbers.text(key) : type(key);
        return Undefined.member(container, name);
    }

    /** {@code container.name}: an attribute, else the item of that name. */
    static Object attribute(Object container, String name) {
        if (container instanceof Undefined u) {
            throw u.error();
        }
        Object member = Members.of(container, name);
        if (member != Members.ABSENT) {
            return member;
        }
        if (container instanceof Dict dict) {
            TrackedString key = TrackedString.trusted(name);
            if (dict.contains(key)) {
                return dict.get(key, null);
            }
        }
        return Undefined.member(container, "'" + name + "'");
    }

    /** {@code container[from:to:by]}; each bound may be null. */
    static Object slice(Budget budget, Object container, Object from, Object to, Object by) {
        long step = by == null ? 1 : integer(by);
        if (step == 0) {
            throw new JinjaException("the step of a slice must not be 0");
        }
        List<Object> items = sequence(container);
        if (items == null && !(container instanceof TrackedString)) {
            throw typeError("only a string, list or tuple can be sliced", container);
        }
        int length = items != null ? items.size() : PythonStrings.length((TrackedString) container);
        long low = step > 0 ? 0 : -1;
        long high = step > 0 ? length : length - 1;
        long begin = from == null ? (step > 0 ? low : high) : bound(integer(from), length, low, high);
        long end = to == null ? (step > 0 ? high : low) : bound(integer(to), length, low, high);
        step = Math.clamp(step, -length - 1L, length + 1L);
        long count = Math.max(0, step > 0 ? Math.ceilDiv(end - begin, step) : Math.ceilDiv(begin - end, -step));
        if (container instanceof TrackedString s) {
            budget.chars(count);
            TrackedString slice =
                    count == 0 ? TrackedString.EMPTY : PythonStrings.pick(s, (int) begin, (int) step, (int) count);
            return s.isMarkup() ? slice.asMarkup() : slice;
        }
        budget.items(count);
        List<Object> slice = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            slice.add(items.get((int) (begin + i * step)));
        }
        if (container instanceof IntegerRange range) {
            long first = range.start() + begin * range.step();
            return new IntegerRange(first, range.start() + end * range.step(), step * range.step(), slice);
        }
        return container instanceof Tuple ? new Tuple(slice) : slice;
    }

    private static long bound(long index, int length, long low, long high) {
        return Math.clamp(index < 0 ? index + length : index, low, high);
    }
}
