package dev.xlstm.jinja;

import java.util.List;
import java.util.function.Supplier;

/** A Python generator: computed at the first use, can be iterated once, always true. */
final class Generator {

    private Supplier<List<Object>> source; // null once computed
    private List<Object> items;
    private int next;

    Generator(Supplier<List<Object>> source) {
        this.source = source;
    }

    private void compute() {
        if (source != null) {
            items = List.of(); // if it fails, it is exhausted
            Supplier<List<Object>> supplier = source;
            source = null;
            items = supplier.get();
        }
    }

    /** The items not yet consumed; consumes them. */
    List<Object> remaining() {
        compute();
        List<Object> rest = items.subList(next, items.size());
        next = items.size();
        return rest;
    }

    /** Whether an item is left. */
    boolean hasNext() {
        compute();
        return next < items.size();
    }

    Object next() {
        return items.get(next++);
    }
}
