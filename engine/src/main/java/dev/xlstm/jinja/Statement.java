package dev.xlstm.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A part of a template that writes text or assigns names. */
interface Statement {

    /** How a statement ended. */
    enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    Flow run(Scope scope);

    record Data(TrackedString text) implements Statement {
        @Override
        public Flow run(Scope scope) {
            scope.out.append(text);
            return Flow.NEXT;
        }
    }

    /** {@code {{ x }}} and {@code {% print x, y %}}. */
    record Print(List<Expression> expressions) implements Statement {
        @Override
        public Flow run(Scope scope) {
            for (Expression expression : expressions) {
                scope.write(expression.evaluate(scope));
            }
            return Flow.NEXT;
        }
    }

    /** Statements with the line that each begins on. */
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

        /** Runs the block and returns the text that it writes into a capturing scope. */
        TrackedString render(Scope capturing) {
            run(capturing);
            return capturing.out.build();
        }
    }

    /** {@code {% break %}} and {@code {% continue %}}. */
    record Jump(Flow flow) implements Statement {
        @Override
        public Flow run(Scope scope) {
            return flow;
        }
    }

    /** A tag that parses but cannot run, such as {@code {% include %}}. */
    record Unsupported(String tag) implements Statement {
        @Override
        public Flow run(Scope scope) {
            throw new JinjaException("{% " + tag + " %} is not supported");
        }
    }

    /** A block with a scope of its own. */
    record Scoped(Block block) implements Statement {
        @Override
        public Flow run(Scope scope) {
            return block.run(scope.inner());
        }
    }

    /** Conditions in order; {@code otherwise} is empty without an else. */
    record If(List<Expression> conditions, List<Block> blocks, Block otherwise) implements Statement {
        @Override
        public Flow run(Scope scope) {
            for (int i = 0; i < conditions.size(); i++) {
                if (Values.truth(conditions.get(i).evaluate(scope))) {
                    return blocks.get(i).run(scope);
                }
            }
            return otherwise.run(scope);
        }
    }

    /** The left side of an assignment: a name, an attribute of a namespace, or several targets for a value's items. */
    record Target(String name, String attribute, List<Target> several) {

        void assign(Scope scope, Object value) {
            if (several != null) {
                List<Object> items = Values.items(scope.budget, value);
                if (items.size() != several.size()) {
                    throw new JinjaException(items.size() + " values for " + several.size() + " names");
                }
                for (int i = 0; i < several.size(); i++) {
                    several.get(i).assign(scope, items.get(i));
                }
            } else if (attribute == null) {
                scope.set(name, value);
            } else if (scope.get(name) instanceof Namespace namespace) {
                namespace.set(attribute, value);
            } else {
                throw new JinjaException("'" + name + "' is not a namespace: its attributes cannot be set");
            }
        }

        void collectNames(Set<String> names) {
            if (several == null) {
                names.add(name);
            } else {
                several.forEach(target -> target.collectNames(names));
            }
        }
    }

    record Assignment(Target target, Expression expression) implements Statement {
        @Override
        public Flow run(Scope scope) {
            target.assign(scope, expression.evaluate(scope));
            return Flow.NEXT;
        }
    }

    /** {@code {% set x | filters %}...{% endset %}}: the filters apply to the name {@link #CAPTURED}. */
    record Capture(Target target, Expression filtered, Block block) implements Statement {

        static final String CAPTURED = "{captured}"; // no template can write this name

        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.capturing();
            Flow flow = block.run(inner);
            if (flow == Flow.NEXT) {
                inner.set(CAPTURED, inner.out.build());
                target.assign(scope, filtered.evaluate(inner));
            }
            return flow;
        }
    }

    /** {@code {% filter x %}...{% endfilter %}}. */
    record FilterBlock(Expression filtered, Block block) implements Statement {
        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.capturing();
            Flow flow = block.run(inner);
            if (flow == Flow.NEXT) {
                inner.set(Capture.CAPTURED, inner.out.build());
                scope.write(filtered.evaluate(inner));
            }
            return flow;
        }
    }

    record With(List<Target> targets, List<Expression> values, Block block) implements Statement {
        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.inner();
            for (int i = 0; i < targets.size(); i++) {
                targets.get(i).assign(inner, values.get(i).evaluate(scope));
            }
            return block.run(inner);
        }
    }

    /**
     * {@code {% for target in iterable if condition recursive %}}.
     *
     * @param condition may be null
     */
    record For(
            Target target, Expression iterable, Expression condition, boolean recursive, Block block, Block otherwise)
            implements Statement {
        @Override
        public Flow run(Scope scope) {
            Object items = iterable.evaluate(scope);
            return recursive ? write(scope, level(scope, items, 0)) : iterate(scope, items, 0);
        }

        private static Flow write(Scope scope, TrackedString text) {
            scope.out.append(text);
            return Flow.NEXT;
        }

        /** The text of one level of a recursive loop. */
        private TrackedString level(Scope scope, Object items, int depth) {
            scope.budget.enterCall();
            Scope inner = scope.capturing();
            iterate(inner, items, depth);
            scope.budget.leaveCall();
            return inner.out.build();
        }

        private Flow iterate(Scope scope, Object iterated, int depth) {
            List<Object> items = Values.items(scope.budget, iterated);
            if (condition != null) {
                items = filtered(scope, items);
            }
            LoopState loop = new LoopState(items, depth, recursive ? next -> level(scope, next, depth + 1) : null);
            boolean completed = false; // as in jinja2, an iteration that ends with a jump does not count
            for (Object item : items) {
                scope.budget.step();
                loop.advance();
                Scope inner = scope.inner();
                inner.set("loop", loop);
                target.assign(inner, item);
                Flow flow = block.run(inner);
                completed |= flow == Flow.NEXT;
                if (flow == Flow.BREAK) {
                    break;
                }
            }
            return completed ? Flow.NEXT : otherwise.run(scope.inner());
        }

        private List<Object> filtered(Scope scope, List<Object> items) {
            List<Object> kept = new ArrayList<>();
            for (Object item : items) {
                scope.budget.step();
                Scope inner = scope.inner();
                target.assign(inner, item);
                if (Values.truth(condition.evaluate(inner))) {
                    kept.add(item);
                }
            }
            return kept;
        }
    }

    /**
     * {@code {% macro name(parameters) %}}, and the body of a call block.
     *
     * @param defaults by parameter; may lack some
     * @param implicit those of caller, kwargs and varargs that the body uses and that are not parameters
     */
    record Macro(
            String name, List<String> parameters, Map<String, Expression> defaults, Set<String> implicit, Block block)
            implements Statement {
        @Override
        public Flow run(Scope scope) {
            scope.set(name, new MacroFunction(this, scope));
            return Flow.NEXT;
        }
    }

    /** A macro as a value, with the scope it was defined in. */
    record MacroFunction(Macro macro, Scope scope) implements Callable {

        Object attribute(String attribute) {
            return switch (attribute) {
                case "name" -> macro.name == null ? null : TrackedString.trusted(macro.name);
                case "arguments" ->
                    new Tuple(macro.parameters.stream()
                            .map(parameter -> (Object) TrackedString.trusted(parameter))
                            .toList());
                case "catch_kwargs" -> macro.implicit.contains("kwargs");
                case "catch_varargs" -> macro.implicit.contains("varargs");
                case "caller" -> macro.implicit.contains("caller");
                default -> Members.ABSENT;
            };
        }

        @Override
        public Object call(Budget budget, Arguments arguments) {
            List<String> parameters = macro.parameters;
            List<Object> positional = arguments.positional();
            Scope inner = scope.capturing();
            int given = Math.min(positional.size(), parameters.size());
            for (int i = 0; i < parameters.size(); i++) {
                String parameter = parameters.get(i);
                if (i < given) {
                    inner.set(parameter, positional.get(i));
                } else if (arguments.named().containsKey(parameter)) {
                    inner.set(parameter, arguments.named().get(parameter));
                } else if (macro.defaults.containsKey(parameter)) {
                    inner.set(parameter, macro.defaults.get(parameter).evaluate(inner));
                } else {
                    inner.set(parameter, new Undefined("parameter '" + parameter + "' was not provided"));
                }
            }
            Map<String, Object> rest = arguments.namedExcept(parameters.subList(given, parameters.size()));
            if (macro.implicit.contains("caller")) {
                Object caller = rest.remove("caller");
                inner.set("caller", caller == null ? new Undefined("no caller defined") : caller);
            }
            if (macro.implicit.contains("kwargs")) {
                inner.set("kwargs", new Arguments(List.of(), rest).namedAsDict());
            } else if (!rest.isEmpty()) {
                String unknown = rest.keySet().iterator().next();
                throw new JinjaException("macro '" + macro.name + "' takes no argument named '" + unknown + "'");
            }
            if (macro.implicit.contains("varargs")) {
                inner.set("varargs", new Tuple(positional.subList(given, positional.size())));
            } else if (positional.size() > given) {
                throw new JinjaException("macro '" + macro.name + "' takes at most " + given + " arguments");
            }
            budget.enterCall();
            TrackedString text = macro.block.render(inner);
            budget.leaveCall();
            return text;
        }

        @Override
        public String representation() {
            return "<Macro " + (macro.name == null ? "anonymous" : "'" + macro.name + "'") + ">";
        }
    }

    /** {@code {% call macro() %}...{% endcall %}}: the macro's {@code caller()} renders the body. */
    record CallBlock(Expression.Call call, Macro caller) implements Statement {

        static final String CALLER = "{caller}"; // no template can write this name

        @Override
        public Flow run(Scope scope) {
            Scope inner = scope.inner();
            inner.set(CALLER, new MacroFunction(caller, scope));
            scope.write(call.evaluate(inner));
            return Flow.NEXT;
        }
    }
}
