package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions every template sees. */
final class Globals {

    private static final Map<String, Callable> FUNCTIONS = Map.of(
            "namespace",
            Globals::namespace,
            "dict",
            (budget, arguments) -> new LinkedHashMap<Object, Object>(arguments.named()),
            "range",
            Globals::range,
            "raise_exception",
            (budget, arguments) -> {
                throw JinjaException.raised(Values.text(arguments.get(0, "message")));
            });

    private Globals() {}

    /** The function, null if there is none of that name. */
    static Object get(String name) {
        return FUNCTIONS.get(name);
    }

    private static Object namespace(Budget budget, Arguments arguments) {
        Namespace namespace = new Namespace();
        for (Object initial : arguments.positional()) {
            if (!(initial instanceof Map<?, ?> map)) {
                throw new JinjaException("namespace() takes names and values");
            }
            map.forEach((name, value) -> namespace.attributes.put(Values.string(name), value));
        }
        namespace.attributes.putAll(arguments.named());
        return namespace;
    }

    private static Object range(Budget budget, Arguments arguments) {
        long first = Values.integer(arguments.get(0, "start"));
        boolean one = arguments.positional().size() == 1;
        long from = one ? 0 : first;
        long to = one ? first : arguments.integer(1, "stop", 0);
        long step = arguments.integer(2, "step", 1);
        if (step == 0) {
            throw new JinjaException("range() cannot go by steps of 0");
        }
        double count = Math.ceil(((double) to - from) / step);
        if (count > JinjaLimits.RANGE) {
            throw new JinjaException("range() of more than " + JinjaLimits.RANGE + " numbers");
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            numbers.add(from + i * step);
        }
        budget.makeItems(numbers.size());
        return numbers;
    }
}
