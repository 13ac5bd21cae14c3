package dev.xlstm.jinja;

import java.util.List;
import java.util.Set;

/** jinja2's tests: what follows {@code is}. */
final class Tests {

    private static final Set<String> NAMES = Set.of(
            "!=",
            "<",
            "<=",
            "==",
            ">",
            ">=",
            "boolean",
            "callable",
            "defined",
            "divisibleby",
            "eq",
            "equalto",
            "escaped",
            "even",
            "false",
            "filter",
            "float",
            "ge",
            "greaterthan",
            "gt",
            "in",
            "integer",
            "iterable",
            "le",
            "lessthan",
            "lower",
            "lt",
            "mapping",
            "ne",
            "none",
            "number",
            "odd",
            "sameas",
            "sequence",
            "string",
            "test",
            "true",
            "undefined",
            "upper");

    private Tests() {}

    /** Whether jinja2 has the test. */
    static boolean has(String name) {
        return NAMES.contains(name);
    }

    /**
     * @throws JinjaException if there is no such test
     */
    static boolean holds(Budget budget, String name, Object value, Arguments arguments) {
        switch (name) {
            case "divisibleby":
                Object divisor = arguments.bind(name, 1, "num").get(0);
                return isZero(Operators.arithmetic(budget, "%", value, divisor));
            case "in":
                return Values.contains(budget, arguments.bind(name, 1, "seq").get(0), value);
            case "sameas":
                return isSame(value, arguments.bind(name, 1, "other").get(0));
            case "==", "eq", "equalto":
                return Values.equal(value, arguments.bind(name, 1, "other", "/").get(0));
            case "!=", "ne":
                return !Values.equal(
                        value, arguments.bind(name, 1, "other", "/").get(0));
            case "<", "lt", "lessthan":
                return Values.compares(
                        "<", value, arguments.bind(name, 1, "other", "/").get(0));
            case "<=", "le":
                return Values.compares(
                        "<=", value, arguments.bind(name, 1, "other", "/").get(0));
            case ">", "gt", "greaterthan":
                return Values.compares(
                        ">", value, arguments.bind(name, 1, "other", "/").get(0));
            case ">=", "ge":
                return Values.compares(
                        ">=", value, arguments.bind(name, 1, "other", "/").get(0));
            default:
                if (!has(name)) {
                    throw new JinjaException("no test named '" + name + "' is known");
                }
                arguments.bind(name, 0);
                return holds(budget, name, value);
        }
    }

    private static boolean holds(Budget budget, String name, Object value) {
        return switch (name) {
            case "boolean" -> value instanceof Boolean;
            case "callable" -> value instanceof Callable || value instanceof Undefined;
            case "defined" -> !(value instanceof Undefined);
            case "escaped" -> value instanceof TrackedString s && s.isMarkup();
            case "even" -> isZero(Operators.arithmetic(budget, "%", value, 2L));
            case "false" -> Boolean.FALSE.equals(value);
            case "filter" -> Dict.hashKey(value) instanceof String filter && Filters.has(filter);
            case "float" -> value instanceof Double;
            case "integer" -> Numbers.isInteger(value) && !(value instanceof Boolean);
            case "iterable" -> Values.isIterable(value);
            case "lower" ->
                PythonStrings.allCased(Representation.str(budget, value).toString(), Character::isLowerCase);
            case "mapping" -> value instanceof Dict;
            case "none" -> value == null;
            case "number" -> Numbers.isNumber(value);
            case "odd" -> Values.equal(Operators.arithmetic(budget, "%", value, 2L), 1L);
            case "sequence" -> Values.isSequence(value);
            case "string" -> value instanceof TrackedString;
            case "test" -> Dict.hashKey(value) instanceof String test && has(test);
            case "true" -> Boolean.TRUE.equals(value);
            case "undefined" -> value instanceof Undefined;
            case "upper" ->
                PythonStrings.allCased(Representation.str(budget, value).toString(), Character::isUpperCase);
            default -> throw new IllegalStateException(name);
        };
    }

    private static boolean isZero(Object value) {
        return Values.equal(value, 0L);
    }

    /** Python's {@code is}; equal numbers and strings of one type count as the same object. */
    private static boolean isSame(Object a, Object b) {
        if (a instanceof Undefined) {
            return false; // each access makes a new one
        } else if (a instanceof List<?> || a instanceof Tuple || a instanceof Dict || a == null || b == null) {
            return a == b;
        }
        return a == b || a.getClass() == b.getClass() && Values.equal(a, b);
    }
}
