package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The arguments of a call, a filter or a test, without its subject. */
record Arguments(List<Object> positional, Map<String, Object> named) {

    static final Arguments NONE = new Arguments(List.of(), Map.of());

    private static final Object ABSENT = new Object();

    static Arguments of(Object... positional) {
        return new Arguments(Tuple.of(positional).items(), Map.of());
    }

    /** The positional arguments from an index on, and all named ones. */
    Arguments from(int index) {
        return new Arguments(positional.subList(index, positional.size()), named);
    }

    /**
     * Assigns the arguments to parameters.
     *
     * @param function its name, for messages
     * @param required the number of parameters without a default
     * @param names the parameters; those before "/" take no argument by name
     * @throws JinjaException if an argument is missing, unknown or given twice
     */
    Bound bind(String function, int required, String... names) {
        List<String> parameters = new ArrayList<>(List.of(names));
        int positionalOnly = Math.max(0, parameters.indexOf("/"));
        parameters.remove("/");
        if (positional.size() > parameters.size()) {
            throw new JinjaException(function + "() takes at most " + parameters.size() + " arguments");
        }
        Object[] values = new Object[parameters.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = i < positional.size() ? positional.get(i) : ABSENT;
        }
        for (Map.Entry<String, Object> argument : named.entrySet()) {
            int index = parameters.indexOf(argument.getKey());
            if (index < positionalOnly) {
                throw new JinjaException(function + "() takes no argument named '" + argument.getKey() + "'");
            } else if (values[index] != ABSENT) {
                throw new JinjaException(function + "() has two values for '" + argument.getKey() + "'");
            }
            values[index] = argument.getValue();
        }
        for (int i = 0; i < required; i++) {
            if (values[i] == ABSENT) {
                throw new JinjaException(function + "() needs the argument '" + parameters.get(i) + "'");
            }
        }
        return new Bound(values);
    }

    /** All arguments of a function that takes any number, but none by name. */
    List<Object> bindAll(String function) {
        if (!named.isEmpty()) {
            String name = named.keySet().iterator().next();
            throw new JinjaException(function + "() takes no argument named '" + name + "'");
        }
        return positional;
    }

    /** The named arguments as a dict. */
    Dict namedAsDict() {
        Dict dict = new Dict();
        named.forEach(dict::put);
        return dict;
    }

    /** The named arguments without some of them. */
    Map<String, Object> namedExcept(List<String> names) {
        Map<String, Object> rest = new LinkedHashMap<>(named);
        names.forEach(rest::remove);
        return rest;
    }

    /** Arguments by the index of their parameter. */
    record Bound(Object[] values) {

        boolean has(int index) {
            return values[index] != ABSENT;
        }

        Object get(int index) {
            return values[index];
        }

        Object get(int index, Object absent) {
            return has(index) ? values[index] : absent;
        }

        boolean flag(int index) {
            return has(index) && Values.truth(values[index]);
        }

        TrackedString string(int index) {
            return Values.string(values[index]);
        }

        TrackedString string(int index, String absent) {
            return has(index) ? string(index) : TrackedString.trusted(absent);
        }

        /** A string, null if the argument is None or absent. */
        String stringOrNull(int index) {
            return get(index, null) == null ? null : string(index).toString();
        }

        long integer(int index) {
            return Values.integer(values[index]);
        }

        long integer(int index, long absent) {
            return has(index) ? integer(index) : absent;
        }

        /** An int, {@code absent} if the argument is None or absent. */
        long integerOrNone(int index, long absent) {
            return get(index, null) == null ? absent : integer(index);
        }
    }
}
