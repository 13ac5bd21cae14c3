package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;

/** {@code + - * / // % **} and the signs, with Python's types. */
final class Operators {

    private Operators() {}

    static Object sign(String operator, Object value) {
        if (value instanceof Undefined u) {
            throw u.error();
        } else if (!Numbers.isNumber(value)) {
            throw new JinjaException("'" + operator + "' does not work on " + Values.type(value));
        } else if (operator.equals("-")) {
            return Numbers.negate(value);
        }
        return value instanceof Boolean ? Numbers.integer(Numbers.big(value)) : value;
    }

    static Object arithmetic(Budget budget, String operator, Object a, Object b) {
        if (a instanceof TrackedString format && operator.equals("%")) {
            return PercentFormat.format(budget, format, b);
        }
        if (a instanceof Undefined u) {
            throw u.error();
        } else if (b instanceof Undefined u) {
            throw u.error();
        } else if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
            return Numbers.arithmetic(budget, operator, a, b);
        } else if (operator.equals("+") && a instanceof TrackedString s && b instanceof TrackedString t) {
            return Markup.add(budget, s, t);
        } else if (operator.equals("+") && isConcatenable(a, b)) {
            List<Object> both = new ArrayList<>(Values.sequence(a));
            both.addAll(Values.sequence(b));
            budget.items(both.size());
            return a instanceof Tuple ? new Tuple(both) : both;
        } else if (operator.equals("*") && Numbers.isInteger(b) && isRepeatable(a)) {
            return repeat(budget, a, Values.integer(b));
        } else if (operator.equals("*") && Numbers.isInteger(a) && isRepeatable(b)) {
            return repeat(budget, b, Values.integer(a));
        }
        throw new JinjaException("'" + operator + "' does not work on " + Values.type(a) + " and " + Values.type(b));
    }

    private static boolean isConcatenable(Object a, Object b) {
        return a instanceof List<?> && b instanceof List<?> || a instanceof Tuple && b instanceof Tuple;
    }

    private static boolean isRepeatable(Object value) {
        return value instanceof TrackedString || value instanceof List<?> || value instanceof Tuple;
    }

    private static Object repeat(Budget budget, Object value, long count) {
        long times = Math.max(0, count);
        long size = Values.length(value);
        if (size == 0 || times == 0) {
            return value instanceof TrackedString
                    ? TrackedString.EMPTY
                    : value instanceof Tuple ? Tuple.of() : List.of();
        }
        budget.chars(times > JinjaLimits.CHARS / size ? JinjaLimits.CHARS + 1 : size * times);
        if (value instanceof TrackedString s) {
            TrackedStringBuilder text = new TrackedStringBuilder(budget);
            for (long i = 0; i < times; i++) {
                text.append(s);
            }
            return s.isMarkup() ? text.build().asMarkup() : text.build();
        }
        budget.items(size * times);
        List<Object> items = new ArrayList<>();
        for (long i = 0; i < times; i++) {
            items.addAll(Values.sequence(value));
        }
        return value instanceof Tuple ? new Tuple(items) : items;
    }
}
