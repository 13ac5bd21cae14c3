package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;

/**
 * A Python tuple.
 *
 * @param names the attribute of each item in a named tuple; empty for plain ones
 */
record Tuple(List<Object> items, List<String> names) {

    Tuple(List<Object> items) {
        this(items, List.of());
    }

    static Tuple of(Object... items) {
        List<Object> list = new ArrayList<>(); // not List.of: items may be null
        for (Object item : items) {
            list.add(item);
        }
        return new Tuple(list);
    }
}
