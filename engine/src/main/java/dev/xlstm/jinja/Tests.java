package dev.xlstm.jinja;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What stands behind {@code is}. */
final class Tests {

    interface Test {
        boolean holds(Object value, Arguments arguments);
    }

    private static final Map<String, Test> TESTS = new HashMap<>();

    static {
        TESTS.put("defined", (v, a) -> !(v instanceof Undefined));
        TESTS.put("undefined", (v, a) -> v instanceof Undefined);
        TESTS.put("none", (v, a) -> v == null);
        TESTS.put("true", (v, a) -> Boolean.TRUE.equals(v));
        TESTS.put("false", (v, a) -> Boolean.FALSE.equals(v));
        TESTS.put("boolean", (v, a) -> v instanceof Boolean);
        TESTS.put("integer", (v, a) -> v instanceof Long);
        TESTS.put("float", (v, a) -> v instanceof Double);
        TESTS.put("number", (v, a) -> Values.isNumber(v));
        TESTS.put("string", (v, a) -> v instanceof String);
        TESTS.put("mapping", (v, a) -> v instanceof Map<?, ?>);
        TESTS.put("sequence", (v, a) -> isIterable(v));
        TESTS.put("iterable", (v, a) -> isIterable(v));
        TESTS.put("callable", (v, a) -> v instanceof Callable);
        TESTS.put("even", (v, a) -> Values.integer(v) % 2 == 0);
        TESTS.put("odd", (v, a) -> Values.integer(v) % 2 != 0);
        TESTS.put("divisibleby", (v, a) -> divisible(Values.integer(v), Values.integer(a.get(0, "num"))));
        TESTS.put("lower", (v, a) -> Values.text(v).equals(Values.text(v).toLowerCase(Locale.ROOT)));
        TESTS.put("upper", (v, a) -> Values.text(v).equals(Values.text(v).toUpperCase(Locale.ROOT)));
        TESTS.put("in", (v, a) -> Values.contains(a.get(0, "seq"), v));
        TESTS.put("sameas", (v, a) -> v == a.get(0, "other") || v != null && v.equals(a.get(0, "other")));
        for (String name : List.of("eq", "equalto", "==")) {
            TESTS.put(name, (v, a) -> Values.equal(v, a.get(0, "other")));
        }
        for (String name : List.of("ne", "!=")) {
            TESTS.put(name, (v, a) -> !Values.equal(v, a.get(0, "other")));
        }
        for (String name : List.of("lt", "lessthan", "<")) {
            TESTS.put(name, (v, a) -> Values.compare(v, a.get(0, "other")) < 0);
        }
        for (String name : List.of("le", "<=")) {
            TESTS.put(name, (v, a) -> Values.compare(v, a.get(0, "other")) <= 0);
        }
        for (String name : List.of("gt", "greaterthan", ">")) {
            TESTS.put(name, (v, a) -> Values.compare(v, a.get(0, "other")) > 0);
        }
        for (String name : List.of("ge", ">=")) {
            TESTS.put(name, (v, a) -> Values.compare(v, a.get(0, "other")) >= 0);
        }
    }

    private Tests() {}

    /** The test, null if there is none of that name. */
    static Test get(String name) {
        return TESTS.get(name);
    }

    static Test known(String name) {
        Test test = get(name);
        if (test == null) {
            throw new JinjaException("no test named '" + name + "' is known");
        }
        return test;
    }

    private static boolean isIterable(Object value) {
        return value instanceof String
                || value instanceof Map<?, ?>
                || value instanceof Undefined
                || Values.sequence(value) != null;
    }

    private static boolean divisible(long value, long by) {
        if (by == 0) {
            throw new JinjaException("division by 0");
        }
        return value % by == 0;
    }
}
