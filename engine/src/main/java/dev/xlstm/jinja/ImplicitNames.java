package dev.xlstm.jinja;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/** Finds which of caller, kwargs and varargs are used by the macros being parsed: only those are passed to a macro. */
final class ImplicitNames {

    private static final Set<String> NAMES = Set.of("caller", "kwargs", "varargs");

    private record OpenMacro(Set<String> used, Set<String> assigned) {}

    private final Deque<OpenMacro> open = new ArrayDeque<>();

    void enterMacro() {
        open.push(new OpenMacro(new HashSet<>(), new HashSet<>()));
    }

    /** The names used since the macro was entered, without those that it had assigned before. */
    Set<String> leaveMacro() {
        return open.pop().used;
    }

    void read(String name) {
        if (NAMES.contains(name)) {
            open.stream().filter(macro -> !macro.assigned.contains(name)).forEach(macro -> macro.used.add(name));
        }
    }

    void assigned(String name) {
        open.stream().filter(macro -> !macro.used.contains(name)).forEach(macro -> macro.assigned.add(name));
    }
}
