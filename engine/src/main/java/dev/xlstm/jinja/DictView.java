package dev.xlstm.jinja;

import java.util.List;

/** What {@code keys()}, {@code values()} and {@code items()} of a dict return. */
record DictView(Kind kind, List<Object> items) {

    enum Kind {
        KEYS,
        VALUES,
        ITEMS
    }
}
