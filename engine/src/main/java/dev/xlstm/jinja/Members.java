package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Attributes and methods of values: those of Python's types that change nothing and do not begin with an underscore. */
final class Members {

    /** Stands for a missing member. */
    static final Object ABSENT = new Object();

    private static final Set<String> OF_DICT = Set.of("copy", "fromkeys", "get", "items", "keys", "values");
    private static final Set<String> OF_NUMBER =
            Set.of("as_integer_ratio", "bit_count", "bit_length", "conjugate", "hex", "is_integer", "to_bytes");

    private Members() {}

    private record Method(Object subject, String name) implements Callable {
        @Override
        public Object call(Budget budget, Arguments arguments) {
            if (subject instanceof TrackedString s) {
                return StringMethods.call(budget, s, name, arguments);
            } else if (subject instanceof Dict dict) {
                return ofDict(budget, dict, name, arguments);
            } else if (Numbers.isNumber(subject)) {
                return ofNumber(subject, name, arguments);
            } else if (subject instanceof Cycler cycler) {
                arguments.bind(name, 0);
                return name.equals("next") ? cycler.next() : cycler.reset();
            }
            return ofSequence(budget, subject, name, arguments);
        }

        @Override
        public String representation() {
            return "<built-in method " + name + " of " + Values.type(subject) + " object>";
        }
    }

    /** The member of that name, or {@link #ABSENT}. */
    static Object of(Object value, String name) {
        if (name.startsWith("_")) {
            return ABSENT;
        } else if (value instanceof TrackedString) {
            return StringMethods.has(name) ? new Method(value, name) : ABSENT;
        } else if (value instanceof Dict) {
            return OF_DICT.contains(name) ? new Method(value, name) : ABSENT;
        } else if (value instanceof Namespace namespace) {
            return namespace.attributes().getOrDefault(name, ABSENT);
        } else if (value instanceof LoopState loop) {
            return loop.attribute(name);
        } else if (value instanceof Statement.MacroFunction macro) {
            return macro.attribute(name);
        } else if (value instanceof Globals.DictFunction) {
            return name.equals("fromkeys") ? new Method(new Dict(), name) : ABSENT;
        } else if (value instanceof Cycler cycler) {
            return switch (name) {
                case "current" -> cycler.current();
                case "items" -> cycler.items();
                case "pos" -> cycler.position();
                case "next", "reset" -> new Method(value, name);
                default -> ABSENT;
            };
        } else if (value instanceof IntegerRange range) {
            return switch (name) {
                case "start" -> range.start();
                case "stop" -> range.stop();
                case "step" -> range.step();
                case "count", "index" -> new Method(value, name);
                default -> ABSENT;
            };
        } else if (value instanceof Tuple tuple && tuple.names().contains(name)) {
            return tuple.items().get(tuple.names().indexOf(name));
        } else if (Values.sequence(value) != null) {
            boolean known =
                    name.equals("count") || name.equals("index") || value instanceof List<?> && name.equals("copy");
            return known ? new Method(value, name) : ABSENT;
        }
        return Numbers.isNumber(value) ? numberAttribute(value, name) : ABSENT;
    }

    private static Object numberAttribute(Object number, String name) {
        boolean isFloat = number instanceof Double;
        return switch (name) {
            case "real" -> isFloat ? number : Numbers.integer(Numbers.big(number));
            case "imag" -> isFloat ? (Object) 0.0 : 0L;
            case "numerator" -> isFloat ? ABSENT : Numbers.integer(Numbers.big(number));
            case "denominator" -> isFloat ? ABSENT : 1L;
            case "bit_count", "bit_length", "to_bytes" -> isFloat ? ABSENT : new Method(number, name);
            case "hex" -> isFloat ? new Method(number, name) : ABSENT;
            default -> OF_NUMBER.contains(name) ? new Method(number, name) : ABSENT;
        };
    }

    private static Object ofNumber(Object number, String name, Arguments arguments) {
        switch (name) {
            case "bit_count":
                arguments.bind(name, 0);
                return (long) Numbers.big(number).abs().bitCount();
            case "bit_length":
                arguments.bind(name, 0);
                return (long) Numbers.big(number).abs().bitLength();
            case "conjugate":
                arguments.bind(name, 0);
                return numberAttribute(number, "real");
            case "is_integer":
                arguments.bind(name, 0);
                return !(number instanceof Double d) || Double.isFinite(d) && d == Math.rint(d);
            default:
                throw new JinjaException("the method " + Values.type(number) + "." + name + "() is not supported");
        }
    }

    private static Object ofDict(Budget budget, Dict dict, String name, Arguments arguments) {
        budget.items(dict.size());
        switch (name) {
            case "get":
                Arguments.Bound bound = arguments.bind("get", 1, "key", "default", "/");
                return dict.get(bound.get(0), bound.get(1, null));
            case "fromkeys":
                Arguments.Bound keys = arguments.bind("fromkeys", 1, "iterable", "value", "/");
                Dict made = new Dict();
                Values.items(budget, keys.get(0)).forEach(key -> made.put(key, keys.get(1, null)));
                return made;
            default:
                arguments.bind(name, 0);
                return switch (name) {
                    case "items" -> new DictView(DictView.Kind.ITEMS, dict.items());
                    case "keys" -> new DictView(DictView.Kind.KEYS, dict.keys());
                    case "values" -> new DictView(DictView.Kind.VALUES, dict.values());
                    default -> Dict.copyOf(dict);
                };
        }
    }

    private static Object ofSequence(Budget budget, Object subject, String name, Arguments arguments) {
        List<Object> items = Values.sequence(subject);
        budget.steps(items.size());
        switch (name) {
            case "copy":
                arguments.bind(name, 0);
                return new ArrayList<>(items);
            case "count":
                Object counted = arguments.bind(name, 1, "value", "/").get(0);
                return items.stream()
                        .filter(item -> Values.equal(item, counted))
                        .count();
            default:
                Arguments.Bound bound = arguments.bind(name, 1, "value", "start", "stop", "/");
                long from = bound.integer(1, 0);
                long to = bound.integer(2, Long.MAX_VALUE);
                from = from < 0 ? Math.max(0, from + items.size()) : from;
                to = to < 0 ? to + items.size() : Math.min(to, items.size());
                for (long i = from; i < to; i++) {
                    if (Values.equal(items.get((int) i), bound.get(0))) {
                        return i;
                    }
                }
                throw new JinjaException("index(): the value is not in the " + Values.type(subject));
        }
    }
}
