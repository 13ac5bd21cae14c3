package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;

/** The functions that every template sees. */
final class Globals {

    private Globals() {}

    /** A function of this class. */
    private record Function(String name) implements Callable {
        @Override
        public Object call(Budget budget, Arguments arguments) {
            return switch (name) {
                case "range" -> range(budget, arguments);
                case "namespace" -> namespace(budget, arguments);
                case "cycler" -> cycler(arguments);
                case "joiner" -> new Joiner(arguments.bind(name, 0, "sep").get(0, TrackedString.trusted(", ")));
                case "raise_exception" -> {
                    Object message = arguments.bind(name, 1, "message").get(0);
                    throw JinjaException.raised(
                            Representation.str(budget, message).toString());
                }
                default -> throw new JinjaException("the function " + name + "() is not supported");
            };
        }

        @Override
        public String representation() {
            return "<function " + name + ">";
        }
    }

    /** {@code dict}, which has the attribute {@code fromkeys}. */
    record DictFunction() implements Callable {
        @Override
        public Object call(Budget budget, Arguments arguments) {
            return dict(budget, "dict", arguments);
        }
    }

    /** The first call returns the empty string, later ones the separator. */
    private static final class Joiner implements Callable {
        private final Object separator;
        private boolean used;

        Joiner(Object separator) {
            this.separator = separator;
        }

        @Override
        public Object call(Budget budget, Arguments arguments) {
            arguments.bind("joiner", 0);
            Object result = used ? separator : TrackedString.EMPTY;
            used = true;
            return result;
        }
    }

    /** The function, null if there is none of that name. */
    static Callable get(String name) {
        return switch (name) {
            case "range", "namespace", "cycler", "joiner", "lipsum", "raise_exception" -> new Function(name);
            case "dict" -> new DictFunction();
            default -> null;
        };
    }

    /** Python's {@code dict(mapping or pairs, **named)}. */
    private static Dict dict(Budget budget, String function, Arguments arguments) {
        if (arguments.positional().size() > 1) {
            throw new JinjaException(function + "() takes at most one argument without a name");
        }
        Dict dict = new Dict();
        for (Object initial : arguments.positional()) {
            if (initial instanceof Dict other) {
                dict.putAll(other);
                continue;
            }
            for (Object pair : Values.items(budget, initial)) {
                List<Object> items = Values.items(budget, pair);
                if (items.size() != 2) {
                    throw new JinjaException(function + "() needs pairs of key and value");
                }
                dict.put(items.get(0), items.get(1));
            }
        }
        arguments.named().forEach(dict::put);
        budget.items(dict.size());
        return dict;
    }

    private static Namespace namespace(Budget budget, Arguments arguments) {
        Namespace namespace = new Namespace();
        Dict attributes = dict(budget, "namespace", arguments);
        for (Object name : attributes.keys()) {
            namespace.set(Values.string(name).toString(), attributes.get(name, null));
        }
        return namespace;
    }

    private static Cycler cycler(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new JinjaException("cycler() needs at least one item");
        }
        return new Cycler(arguments.bindAll("cycler"));
    }

    private static IntegerRange range(Budget budget, Arguments arguments) {
        Arguments.Bound bound = arguments.bind("range", 1, "start", "stop", "step", "/");
        boolean one = !bound.has(1);
        long from = one ? 0 : bound.integer(0);
        long to = bound.integer(one ? 0 : 1);
        long step = bound.integer(2, 1);
        if (step == 0) {
            throw new JinjaException("the step of range() must not be 0");
        }
        double count = Math.ceil(((double) to - from) / step);
        if (count > JinjaLimits.RANGE) {
            throw new JinjaException("range() has more than " + JinjaLimits.RANGE + " numbers");
        }
        budget.items((long) Math.max(0, count));
        List<Object> numbers = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            numbers.add(from + i * step);
        }
        return new IntegerRange(from, to, step, numbers);
    }
}
