package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An expression of a template. */
interface Expression {

    Object evaluate(Scope scope);

    record Constant(Object value) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            return value;
        }
    }

    record Name(String name) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            return scope.get(name);
        }
    }

    /** A list or tuple. */
    record Items(List<Expression> items, boolean tuple) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.items(items.size());
            List<Object> values = new ArrayList<>();
            for (Expression item : items) {
                values.add(item.evaluate(scope));
            }
            return tuple ? new Tuple(values) : values;
        }
    }

    /** A dict. */
    record Pairs(List<Expression> keys, List<Expression> values) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.items(keys.size());
            Dict dict = new Dict();
            for (int i = 0; i < keys.size(); i++) {
                dict.put(keys.get(i).evaluate(scope), values.get(i).evaluate(scope));
            }
            return dict;
        }
    }

    record Attribute(Expression of, String name) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            return Values.attribute(of.evaluate(scope), name);
        }
    }

    record Item(Expression of, Expression key) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            return Values.item(of.evaluate(scope), key.evaluate(scope));
        }
    }

    /** Absent bounds are null. */
    record Slice(Expression of, Expression from, Expression to, Expression by) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            Object sliced = of.evaluate(scope);
            return Values.slice(scope.budget, sliced, bound(from, scope), bound(to, scope), bound(by, scope));
        }

        private static Object bound(Expression bound, Scope scope) {
            return bound == null ? null : bound.evaluate(scope);
        }
    }

    /**
     * The arguments of a call.
     *
     * @param spread the value after {@code *}, or null
     * @param spreadNamed the value after {@code **}, or null
     */
    record ArgumentList(
            List<Expression> positional, Map<String, Expression> named, Expression spread, Expression spreadNamed) {

        static final ArgumentList NONE = new ArgumentList(List.of(), Map.of(), null, null);

        ArgumentList with(String name, Expression value) {
            Map<String, Expression> more = new LinkedHashMap<>(named);
            more.put(name, value);
            return new ArgumentList(positional, more, spread, spreadNamed);
        }

        Arguments evaluate(Scope scope) {
            if (this == NONE) {
                return Arguments.NONE;
            }
            List<Object> values = new ArrayList<>();
            for (Expression argument : positional) {
                values.add(argument.evaluate(scope));
            }
            Map<String, Object> namedValues = new LinkedHashMap<>();
            named.forEach((name, argument) -> namedValues.put(name, argument.evaluate(scope)));
            if (spread != null) {
                List<Object> more = Values.items(scope.budget, spread.evaluate(scope));
                scope.budget.items(more.size());
                values.addAll(more);
            }
            if (spreadNamed != null) {
                if (!(spreadNamed.evaluate(scope) instanceof Dict dict)) {
                    throw new JinjaException("the argument after ** must be a dict");
                }
                for (Object key : dict.keys()) {
                    if (namedValues.putIfAbsent(Values.string(key).toString(), dict.get(key, null)) != null) {
                        throw new JinjaException("two values for the argument '" + key + "'");
                    }
                }
            }
            return new Arguments(values, namedValues);
        }
    }

    record Call(Expression function, ArgumentList arguments) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            Object called = function.evaluate(scope);
            if (called instanceof Undefined u) {
                throw u.error();
            }
            if (!(called instanceof Callable callable)) {
                throw new JinjaException("a value of type " + Values.type(called) + " cannot be called");
            }
            return callable.call(scope.budget, arguments.evaluate(scope));
        }
    }

    record Filtered(Expression subject, String filter, ArgumentList arguments) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            return Filters.apply(scope.budget, filter, subject.evaluate(scope), arguments.evaluate(scope));
        }
    }

    record Tested(Expression subject, String test, ArgumentList arguments) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            return Tests.holds(scope.budget, test, subject.evaluate(scope), arguments.evaluate(scope));
        }
    }

    record Not(Expression of) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            return !Values.truth(of.evaluate(scope));
        }
    }

    /** {@code +x} and {@code -x}. */
    record Signed(String sign, Expression of) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            return Operators.sign(sign, of.evaluate(scope));
        }
    }

    record And(Expression left, Expression right) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            Object value = left.evaluate(scope);
            return Values.truth(value) ? right.evaluate(scope) : value;
        }
    }

    record Or(Expression left, Expression right) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            Object value = left.evaluate(scope);
            return Values.truth(value) ? value : right.evaluate(scope);
        }
    }

    /** {@code yes if test else no}; {@code no} is null without an else. */
    record Conditional(Expression test, Expression yes, Expression no) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            if (Values.truth(test.evaluate(scope))) {
                return yes.evaluate(scope);
            }
            return no == null ? new Undefined("an if without else has no value") : no.evaluate(scope);
        }
    }

    record Arithmetic(String operator, Expression left, Expression right) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            return Operators.arithmetic(scope.budget, operator, left.evaluate(scope), right.evaluate(scope));
        }
    }

    /** {@code a ~ b}. */
    record Concatenated(List<Expression> parts) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            TrackedStringBuilder text = new TrackedStringBuilder(scope.budget);
            for (Expression part : parts) {
                text.append(Representation.str(scope.budget, part.evaluate(scope)));
            }
            return text.build();
        }
    }

    /** {@code first < second <= third}: {@code operators[i]} is left of {@code operands[i + 1]}. */
    record Comparison(List<Expression> operands, List<String> operators) implements Expression {
        @Override
        public Object evaluate(Scope scope) {
            scope.budget.step();
            Object left = operands.get(0).evaluate(scope);
            for (int i = 0; i < operators.size(); i++) {
                Object right = operands.get(i + 1).evaluate(scope);
                if (!holds(scope.budget, operators.get(i), left, right)) {
                    return false;
                }
                left = right;
            }
            return true;
        }

        private static boolean holds(Budget budget, String operator, Object left, Object right) {
            return switch (operator) {
                case "==" -> Values.equal(left, right);
                case "!=" -> !Values.equal(left, right);
                case "in" -> Values.contains(budget, right, left);
                case "not in" -> !Values.contains(budget, right, left);
                default -> Values.compares(operator, left, right);
            };
        }
    }
}
