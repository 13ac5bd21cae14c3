package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A part of a template that writes text or sets names. */
interface Statement {

    /** How a statement ended. */
    enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    Flow run(Scope scope);

    record Data(String text) implements Statement {
        @Override
        public Flow run(Scope scope) {
            scope.write(text);
            return Flow.NEXT;
        }
    }

    record Output(Expression expression) implements Statement {
        @Override
        public Flow run(Scope scope) {
            scope.write(Values.text(expression.value(scope)));
            return Flow.NEXT;
        }
    }

    /** Statements and the line each begins on. */
    record Block(List<Statement> statements, List<Integer> lines) implements Statement {

        static final Block EMPTY = new Block(List.of(), List.of());

        @Override
        public Flow run(Scope scope) {
            for (int i = 0; i < statements.size(); i++) {
                scope.budget.step();
                try {
                    Flow flow = statements.get(i).run(scope);
                    if (flow != Flow.NEXT) {
                        return flow;
                    }
                } catch (JinjaException e) {
                    throw e.at(lines.get(i));
                }
            }
            return Flow.NEXT;
        }

        /** The text the block writes. */
        String text(Scope scope) {
            run(scope);
            return scope.out.toString();
        }
    }

    /** {@code {% break %}} and {@code {% continue %}}. */
    record Jump(Flow flow) implements Statement {
        @Override
        public Flow run(Scope scope) {
            return flow;
        }
    }

    /** Conditions in order; {@code otherwise} is empty if there is no else. */
    record If(List<Expression> conditions, List<Block> blocks, Block otherwise) implements Statement {
        @Override
        public Flow run(Scope scope) {
            for (int i = 0; i < conditions.size(); i++) {
                if (Values.truth(conditions.get(i).value(scope))) {
                    return blocks.get(i).run(scope);
                }
            }
            return otherwise.run(scope);
        }
    }

    /** What a value is assigned to: a name, an attribute of a namespace, or several that share the value's items. */
    record Target(String name, String attribute, List<Target> several) {

        void assign(Scope scope, Object value) {
            if (several != null) {
                List<Object> items = Values.items(value);
                if (items.size() != several.size()) {
                    throw new JinjaException(items.size() + " values for " + several.size() + " names");
                }
                for (int i = 0; i < several.size(); i++) {
                    several.get(i).assign(scope, items.get(i));
                }
            } else if (attribute == null) {
                scope.set(name, value);
            } else if (scope.get(name) instanceof Namespace namespace) {
                namespace.attributes.put(attribute, value);
            } else {
                throw new JinjaException("'" + name + "' is not a namespace: its attributes cannot be set");
            }
        }
    }

    record Assignment(Target target, Expression expression) implements Statement {
        @Override
        public Flow run(Scope scope) {
            target.assign(scope, expression.value(scope));
            return Flow.NEXT;
        }
    }

    /** {@code {% set x | filters %}...{% endset %}}; the filters' subject is the name {@link #CAPTURED}. */
    record Capture(Target target, Expression filtered, Block block) implements Statement {

        static final String CAPTURED = "{captured}";

        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.capturing();
            String text = block.text(inner);
            inner.set(CAPTURED, text);
            target.assign(scope, filtered.value(inner));
            return Flow.NEXT;
        }
    }

    /** {@code {% filter x %}...{% endfilter %}}. */
    record FilterBlock(Expression filtered, Block block) implements Statement {
        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.capturing();
            String text = block.text(inner);
            inner.set(Capture.CAPTURED, text);
            scope.write(Values.text(filtered.value(inner)));
            return Flow.NEXT;
        }
    }

    record With(List<Target> targets, List<Expression> values, Block block) implements Statement {
        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.inner();
            for (int i = 0; i < targets.size(); i++) {
                targets.get(i).assign(inner, values.get(i).value(scope));
            }
            return block.run(inner);
        }
    }

    /** {@code condition} may be null. */
    record For(Target target, Expression iterable, Expression condition, Block block, Block otherwise)
            implements Statement {
        @Override
        public Flow run(Scope scope) {
            List<Object> items = Values.items(iterable.value(scope));
            if (condition != null) {
                items = filtered(scope, items);
            }
            boolean completed = false; // as the reference has it, an iteration left by a jump does not count
            for (int i = 0; i < items.size(); i++) {
                scope.budget.step();
                Scope inner = scope.inner();
                target.assign(inner, items.get(i));
                inner.set("loop", loop(items, i));
                Flow flow = block.run(inner);
                completed |= flow == Flow.NEXT;
                if (flow == Flow.BREAK) {
                    break;
                }
            }
            return completed ? Flow.NEXT : otherwise.run(scope);
        }

        private List<Object> filtered(Scope scope, List<Object> items) {
            List<Object> kept = new ArrayList<>();
            for (Object item : items) {
                scope.budget.step();
                Scope inner = scope.inner();
                target.assign(inner, item);
                if (Values.truth(condition.value(inner))) {
                    kept.add(item);
                }
            }
            return kept;
        }

        private static Namespace loop(List<Object> items, int i) {
            Namespace loop = new Namespace();
            int length = items.size();
            loop.attributes.put("index", i + 1L);
            loop.attributes.put("index0", (long) i);
            loop.attributes.put("revindex", (long) length - i);
            loop.attributes.put("revindex0", length - i - 1L);
            loop.attributes.put("first", i == 0);
            loop.attributes.put("last", i == length - 1);
            loop.attributes.put("length", (long) length);
            loop.attributes.put("previtem", i > 0 ? items.get(i - 1) : new Undefined("loop.previtem"));
            loop.attributes.put("nextitem", i + 1 < length ? items.get(i + 1) : new Undefined("loop.nextitem"));
            loop.attributes.put("cycle", (Callable) (budget, arguments) -> arguments
                    .positional()
                    .get(i % Math.max(1, arguments.positional().size())));
            return loop;
        }
    }

    /** {@code defaults} may lack parameters. */
    record Macro(String name, List<String> parameters, Map<String, Expression> defaults, Block block)
            implements Statement {
        @Override
        public Flow run(Scope scope) {
            scope.set(name, function(scope));
            return Flow.NEXT;
        }

        Callable function(Scope scope) {
            return (budget, arguments) -> {
                if (arguments.positional().size() > parameters.size()) {
                    throw new JinjaException("macro '" + name + "' takes " + parameters.size() + " arguments");
                }
                budget.enter();
                Scope inner = scope.capturing();
                for (int i = 0; i < parameters.size(); i++) {
                    String parameter = parameters.get(i);
                    Object value;
                    if (arguments.has(i, parameter)) {
                        value = arguments.get(i, parameter);
                    } else if (defaults.containsKey(parameter)) {
                        value = defaults.get(parameter).value(inner);
                    } else {
                        value = new Undefined(parameter);
                    }
                    inner.set(parameter, value);
                }
                Map<Object, Object> more = new LinkedHashMap<>(arguments.named());
                parameters.forEach(more::remove);
                inner.set("kwargs", more);
                inner.set("caller", arguments.named().getOrDefault("caller", new Undefined("caller")));
                String text = block.text(inner);
                budget.leave();
                return text;
            };
        }
    }

    /** {@code {% call macro() %}...{% endcall %}}: the body is what {@code caller()} gives in the macro. */
    record CallBlock(Expression.Call call, Macro caller) implements Statement {

        static final String CALLER = "{caller}";

        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.inner();
            inner.set(CALLER, caller.function(scope));
            scope.write(Values.text(call.value(inner)));
            return Flow.NEXT;
        }
    }
}
