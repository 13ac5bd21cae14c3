package dev.xlstm.jinja;

import java.util.HashMap;
import java.util.Map;

/** The names a part of a template sees, where its text goes, and what it may still do. */
final class Scope {

    private final Scope outer;
    private final Map<String, Object> names;
    final Budget budget;
    final StringBuilder out;

    private Scope(Scope outer, Map<String, Object> names, Budget budget, StringBuilder out) {
        this.outer = outer;
        this.names = names;
        this.budget = budget;
        this.out = out;
    }

    static Scope of(Map<String, Object> names) {
        return new Scope(null, new HashMap<>(names), new Budget(), new StringBuilder());
    }

    /** A scope whose names are gone after it. */
    Scope inner() {
        return new Scope(this, new HashMap<>(), budget, out);
    }

    /** An inner scope whose text goes elsewhere. */
    Scope capturing() {
        return new Scope(this, new HashMap<>(), budget, new StringBuilder());
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.names.containsKey(name)) {
                return scope.names.get(name);
            }
        }
        Object global = Globals.get(name);
        return global == null ? new Undefined(name) : global;
    }

    void set(String name, Object value) {
        names.put(name, value);
    }

    void write(String text) {
        budget.make(text.length());
        out.append(text);
    }
}
