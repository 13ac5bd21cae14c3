package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A Python dict: ordered; numbers that are equal are the same key. Not changed once built. */
final class Dict {

    private record Entry(Object key, Object value) {}

    private final Map<Object, Entry> entries = new LinkedHashMap<>(); // by hash key

    static Dict copyOf(Dict other) {
        Dict copy = new Dict();
        copy.entries.putAll(other.entries);
        return copy;
    }

    /** Sets a value; an equal key that is already present stays as it is. */
    Dict put(Object key, Object value) {
        entries.merge(hashKey(key), new Entry(key, value), (old, added) -> new Entry(old.key, value));
        return this;
    }

    Dict put(String key, Object value) {
        return put(TrackedString.trusted(key), value);
    }

    Dict putAll(Dict other) {
        other.entries.values().forEach(entry -> put(entry.key, entry.value));
        return this;
    }

    boolean contains(Object key) {
        return entries.containsKey(hashKey(key));
    }

    /** The value of a key, {@code absent} if there is none. */
    Object get(Object key, Object absent) {
        Entry entry = entries.get(hashKey(key));
        return entry == null ? absent : entry.value;
    }

    int size() {
        return entries.size();
    }

    List<Object> keys() {
        List<Object> keys = new ArrayList<>();
        entries.values().forEach(entry -> keys.add(entry.key));
        return keys;
    }

    List<Object> values() {
        List<Object> values = new ArrayList<>();
        entries.values().forEach(entry -> values.add(entry.value));
        return values;
    }

    /** Tuples of key and value. */
    List<Object> items() {
        List<Object> items = new ArrayList<>();
        entries.values().forEach(entry -> items.add(Tuple.of(entry.key, entry.value)));
        return items;
    }

    /**
     * An object that is equal for equal values.
     *
     * @throws JinjaException if the value cannot be a key
     */
    static Object hashKey(Object value) {
        if (value instanceof TrackedString s) {
            return s.toString();
        } else if (value instanceof Boolean b) {
            return b ? 1L : 0L;
        } else if (value instanceof Double d) {
            long integer = (long) (double) d;
            return integer == d && Math.abs(d) < 0x1p53 ? (Object) integer : d;
        } else if (value instanceof Tuple tuple) {
            return tuple.items().stream()
                    .map(item -> item == null ? Tuple.class : hashKey(item))
                    .toList();
        } else if (value instanceof Undefined) {
            return Undefined.class; // all are equal
        } else if (value instanceof List<?> || value instanceof Dict || value instanceof DictView) {
            throw new JinjaException("a value of type '" + Values.type(value) + "' cannot be a key");
        }
        return value;
    }
}
