package dev.xlstm.jinja;

import java.util.HashMap;
import java.util.Map;

/** The names visible to a part of a template, its output, and the budget of the rendering. */
final class Scope {

    private final Scope outer;
    private final Map<String, Object> names = new HashMap<>();
    final Budget budget;
    final TrackedStringBuilder out;

    private Scope(Scope outer, Budget budget, TrackedStringBuilder out) {
        this.outer = outer;
        this.budget = budget;
        this.out = out;
    }

    static Scope root() {
        Budget budget = new Budget();
        return new Scope(null, budget, new TrackedStringBuilder(budget));
    }

    /** A scope whose assignments are not visible outside. */
    Scope inner() {
        return new Scope(this, budget, out);
    }

    /** An inner scope with an output of its own. */
    Scope capturing() {
        return new Scope(this, budget, new TrackedStringBuilder(budget));
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.names.containsKey(name)) {
                return scope.names.get(name);
            }
        }
        Callable global = Globals.get(name);
        return global == null ? Undefined.name(name) : global;
    }

    void set(String name, Object value) {
        names.put(name, value);
    }

    void write(Object value) {
        out.append(Representation.str(budget, value));
    }
}
