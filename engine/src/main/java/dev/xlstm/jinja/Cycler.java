package dev.xlstm.jinja;

import java.util.List;

/** What {@code cycler(...)} returns: gives its items in turn. */
final class Cycler {

    private final List<Object> items;
    private int position;

    Cycler(List<Object> items) {
        this.items = items;
    }

    Tuple items() {
        return new Tuple(items);
    }

    long position() {
        return position;
    }

    Object current() {
        return items.get(position);
    }

    Object next() {
        Object current = current();
        position = (position + 1) % items.size();
        return current;
    }

    Object reset() {
        position = 0;
        return null;
    }
}
