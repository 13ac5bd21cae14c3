package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;

/** {@code + - * / // % **} with Python's rules of types and signs. */
final class Operators {

    private Operators() {}

    static Object arithmetic(Budget budget, String operator, Object a, Object b) {
        if (a instanceof Undefined u) {
            throw u.complaint();
        }
        if (b instanceof Undefined u) {
            throw u.complaint();
        }
        if (operator.equals("+")) {
            if (a instanceof String s && b instanceof String t) {
                budget.make(s.length() + t.length());
                return s + t;
            }
            List<Object> x = Values.sequence(a);
            List<Object> y = Values.sequence(b);
            if (x != null && y != null && a instanceof Tuple == b instanceof Tuple) {
                budget.makeItems(x.size() + y.size());
                List<Object> both = new ArrayList<>(x);
                both.addAll(y);
                return a instanceof Tuple ? new Tuple(both) : both;
            }
        }
        if (operator.equals("*") && a instanceof String s && b instanceof Long n) {
            return repeated(budget, s, n);
        }
        if (operator.equals("*") && b instanceof String s && a instanceof Long n) {
            return repeated(budget, s, n);
        }
        if (!Values.isNumber(a) || !Values.isNumber(b)) {
            throw new JinjaException(
                    "'" + operator + "' does not work on " + Values.type(a) + " and " + Values.type(b));
        }
        boolean real = a instanceof Double || b instanceof Double || operator.equals("/");
        try {
            return real
                    ? (Object) reals(operator, Values.number(a), Values.number(b))
                    : (Object) integers(operator, Values.integer(a), Values.integer(b));
        } catch (ArithmeticException e) {
            throw new JinjaException("'" + operator + "': " + e.getMessage());
        }
    }

    private static String repeated(Budget budget, String text, long count) {
        long times = Math.max(0, count);
        budget.make(text.isEmpty() ? 0 : (long) Math.min(1e15, (double) text.length() * times));
        return text.isEmpty() ? "" : text.repeat((int) times);
    }

    private static long integers(String operator, long a, long b) {
        return switch (operator) {
            case "+" -> Math.addExact(a, b);
            case "-" -> Math.subtractExact(a, b);
            case "*" -> Math.multiplyExact(a, b);
            case "//" -> Math.floorDiv(a, b);
            case "%" -> Math.floorMod(a, b);
            default -> power(a, b);
        };
    }

    private static long power(long base, long exponent) {
        if (exponent < 0 || exponent > 1000) {
            throw new ArithmeticException("an exponent of " + exponent + " is not supported");
        }
        long result = 1;
        for (long i = 0; i < exponent; i++) {
            result = Math.multiplyExact(result, base);
        }
        return result;
    }

    private static double reals(String operator, double a, double b) {
        if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
            throw new ArithmeticException("division by 0");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - b * Math.floor(a / b);
            default -> Math.pow(a, b);
        };
    }
}
