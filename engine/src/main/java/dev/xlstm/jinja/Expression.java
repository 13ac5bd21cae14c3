package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A part of a template that has a value. */
interface Expression {

    Object value(Scope scope);

    record Constant(Object constant) implements Expression {
        @Override
        public Object value(Scope scope) {
            return constant;
        }
    }

    record Name(String name) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            return scope.get(name);
        }
    }

    record ListOf(List<Expression> items, boolean tuple) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.makeItems(items.size());
            List<Object> values = new ArrayList<>();
            for (Expression item : items) {
                values.add(item.value(scope));
            }
            return tuple ? new Tuple(values) : values;
        }
    }

    record DictOf(List<Expression> keys, List<Expression> values) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.makeItems(keys.size());
            Map<Object, Object> map = new LinkedHashMap<>();
            for (int i = 0; i < keys.size(); i++) {
                map.put(keys.get(i).value(scope), values.get(i).value(scope));
            }
            return map;
        }
    }

    record Attribute(Expression of, String name) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            return Values.attribute(of.value(scope), name);
        }
    }

    record Item(Expression of, Expression key) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            return Values.item(of.value(scope), key.value(scope));
        }
    }

    /** Bounds that are not written are null. */
    record Slice(Expression of, Expression from, Expression to, Expression by) implements Expression {
        @Override
        public Object value(Scope scope) {
            Object slice = Values.slice(of.value(scope), bound(from, scope), bound(to, scope), bound(by, scope));
            scope.budget.makeItems(Filters.length(slice));
            return slice;
        }

        private static Object bound(Expression bound, Scope scope) {
            return bound == null ? null : bound.value(scope);
        }
    }

    record ArgumentList(List<Expression> positional, Map<String, Expression> named) {
        Arguments values(Scope scope) {
            if (positional.isEmpty() && named.isEmpty()) {
                return Arguments.NONE;
            }
            List<Object> values = new ArrayList<>();
            for (Expression argument : positional) {
                values.add(argument.value(scope));
            }
            Map<String, Object> namedValues = new LinkedHashMap<>();
            named.forEach((name, argument) -> namedValues.put(name, argument.value(scope)));
            return new Arguments(values, namedValues);
        }
    }

    record Call(Expression function, ArgumentList arguments) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            Object called = function.value(scope);
            if (called instanceof Undefined u) {
                throw u.complaint();
            }
            if (!(called instanceof Callable callable)) {
                throw new JinjaException(Values.type(called) + " cannot be called");
            }
            return callable.call(scope.budget, arguments.values(scope));
        }
    }

    record Filtered(Expression subject, Filters.Filter filter, ArgumentList arguments) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            return filter.apply(scope.budget, subject.value(scope), arguments.values(scope));
        }
    }

    record Tested(Expression subject, Tests.Test test, ArgumentList arguments) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            return test.holds(subject.value(scope), arguments.values(scope));
        }
    }

    record Not(Expression of) implements Expression {
        @Override
        public Object value(Scope scope) {
            return !Values.truth(of.value(scope));
        }
    }

    record Negated(Expression of) implements Expression {
        @Override
        public Object value(Scope scope) {
            return Operators.arithmetic(scope.budget, "-", 0L, of.value(scope));
        }
    }

    record And(Expression left, Expression right) implements Expression {
        @Override
        public Object value(Scope scope) {
            Object value = left.value(scope);
            return Values.truth(value) ? right.value(scope) : value;
        }
    }

    record Or(Expression left, Expression right) implements Expression {
        @Override
        public Object value(Scope scope) {
            Object value = left.value(scope);
            return Values.truth(value) ? value : right.value(scope);
        }
    }

    /** {@code yes if test else no}; without an else, {@code no} is null. */
    record Conditional(Expression test, Expression yes, Expression no) implements Expression {
        @Override
        public Object value(Scope scope) {
            if (Values.truth(test.value(scope))) {
                return yes.value(scope);
            }
            return no == null ? new Undefined("the value of an if without else") : no.value(scope);
        }
    }

    record Arithmetic(String operator, Expression left, Expression right) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            return Operators.arithmetic(scope.budget, operator, left.value(scope), right.value(scope));
        }
    }

    /** {@code a ~ b}. */
    record Concatenated(List<Expression> parts) implements Expression {
        @Override
        public Object value(Scope scope) {
            StringBuilder text = new StringBuilder();
            for (Expression part : parts) {
                text.append(scope.budget.made(Values.text(part.value(scope))));
            }
            return text.toString();
        }
    }

    /** {@code first < second <= third}: {@code operators[i]} stands before {@code operands[i + 1]}. */
    record Comparison(List<Expression> operands, List<String> operators) implements Expression {
        @Override
        public Object value(Scope scope) {
            scope.budget.step();
            Object left = operands.get(0).value(scope);
            for (int i = 0; i < operators.size(); i++) {
                Object right = operands.get(i + 1).value(scope);
                if (!holds(operators.get(i), left, right)) {
                    return false;
                }
                left = right;
            }
            return true;
        }

        private static boolean holds(String operator, Object left, Object right) {
            return switch (operator) {
                case "==" -> Values.equal(left, right);
                case "!=" -> !Values.equal(left, right);
                case "<" -> Values.compare(left, right) < 0;
                case "<=" -> Values.compare(left, right) <= 0;
                case ">" -> Values.compare(left, right) > 0;
                case ">=" -> Values.compare(left, right) >= 0;
                case "in" -> Values.contains(right, left);
                default -> !Values.contains(right, left); // not in
            };
        }
    }
}
