package dev.xlstm.jinja;

import dev.xlstm.jinja.Expression.ArgumentList;
import dev.xlstm.jinja.TemplateToken.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parses expressions by recursive descent; each method stands for one level of precedence, the lowest first. */
final class ExpressionParser {

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");
    private static final Set<String> AFTER_TEST = Set.of("else", "or", "and");

    private final TokenStream tokens;
    private final ImplicitNames names;
    private int depth;

    ExpressionParser(TokenStream tokens, ImplicitNames names) {
        this.tokens = tokens;
        this.names = names;
    }

    /** An expression, or several separated by commas, which form a tuple. */
    Expression tuple() {
        return tuple(true);
    }

    /** Like {@link #tuple()}, without {@code a if b else c} outside of brackets. */
    Expression unconditional() {
        return tuple(false);
    }

    private Expression tuple(boolean conditional) {
        List<Expression> items = new ArrayList<>();
        boolean tuple = false;
        do {
            TemplateToken next = tokens.peek();
            if (!items.isEmpty() && (next.kind() == Kind.BLOCK_END || next.kind() == Kind.OUTPUT_END || next.is(")"))) {
                break;
            }
            items.add(conditional ? expression() : or());
            tuple |= tokens.peek().is(",");
        } while (tokens.skip(","));
        return tuple ? new Expression.Items(items, true) : items.get(0);
    }

    Expression expression() {
        enter();
        Expression value = or();
        while (tokens.skip("if")) {
            Expression test = or();
            value = new Expression.Conditional(test, value, tokens.skip("else") ? expression() : null);
        }
        depth--;
        return value;
    }

    private void enter() {
        if (++depth > JinjaLimits.NESTING) {
            throw new JinjaException(tokens.line(), "an expression is nested deeper than " + JinjaLimits.NESTING);
        }
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skip("or")) {
            left = new Expression.Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skip("and")) {
            left = new Expression.And(left, not());
        }
        return left;
    }

    private Expression not() {
        int count = 0;
        while (tokens.skip("not")) {
            count++;
        }
        Expression value = comparison();
        // not not x is the truth of x; a longer chain equals one of the two
        return count == 0 ? value : new Expression.Not(count % 2 == 1 ? value : new Expression.Not(value));
    }

    private Expression comparison() {
        List<Expression> operands = new ArrayList<>(List.of(sum()));
        List<String> operators = new ArrayList<>();
        while (true) {
            TemplateToken next = tokens.peek();
            if (next.kind() == Kind.OPERATOR && COMPARISONS.contains(next.text()) || next.is("in")) {
                operators.add(tokens.next().text());
            } else if (next.is("not") && tokens.peekSecond().is("in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(sum());
        }
        return operators.isEmpty() ? operands.get(0) : new Expression.Comparison(operands, operators);
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.peek().is("+") || tokens.peek().is("-")) {
            left = new Expression.Arithmetic(tokens.next().text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        List<Expression> parts = new ArrayList<>(List.of(product()));
        while (tokens.skip("~")) {
            parts.add(product());
        }
        return parts.size() == 1 ? parts.get(0) : new Expression.Concatenated(parts);
    }

    private Expression product() {
        Expression left = power();
        while (tokens.peek().kind() == Kind.OPERATOR
                && PRODUCTS.contains(tokens.peek().text())) {
            left = new Expression.Arithmetic(tokens.next().text(), left, power());
        }
        return left;
    }

    /** Jinja's {@code **} is left-associative. */
    private Expression power() {
        Expression left = unary(true);
        while (tokens.skip("**")) {
            left = new Expression.Arithmetic("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        enter();
        Expression value;
        if (tokens.peek().is("-") || tokens.peek().is("+")) {
            String sign = tokens.next().text();
            value = new Expression.Signed(sign, unary(false));
        } else {
            value = primary();
        }
        value = postfix(value);
        depth--;
        return withFilters ? filters(value) : value;
    }

    private Expression primary() {
        TemplateToken token = tokens.next();
        switch (token.kind()) {
            case NAME:
                return switch (token.text()) {
                    case "true", "True" -> new Expression.Constant(true);
                    case "false", "False" -> new Expression.Constant(false);
                    case "none", "None" -> new Expression.Constant(null);
                    default -> {
                        names.read(token.text());
                        yield new Expression.Name(token.text());
                    }
                };
            case STRING:
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.peek().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                return new Expression.Constant(TrackedString.trusted(text.toString()));
            case INTEGER:
                return integer(token);
            case FLOAT:
                return new Expression.Constant(Double.parseDouble(token.text()));
            default:
                break;
        }
        if (token.is("(")) {
            if (tokens.skip(")")) {
                return new Expression.Items(List.of(), true);
            }
            Expression inside = tuple();
            tokens.expect(")");
            return inside;
        }
        if (token.is("[")) {
            return new Expression.Items(list("]"), false);
        }
        if (token.is("{")) {
            return dict();
        }
        throw new JinjaException(token.line(), "unexpected '" + token.text() + "'");
    }

    private List<Expression> list(String end) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.skip(end)) {
            items.add(expression());
            if (!tokens.peek().is(end)) {
                tokens.expect(",");
            }
        }
        return items;
    }

    private Expression dict() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.skip("}")) {
            keys.add(expression());
            tokens.expect(":");
            values.add(expression());
            if (!tokens.peek().is("}")) {
                tokens.expect(",");
            }
        }
        return new Expression.Pairs(keys, values);
    }

    private static Expression integer(TemplateToken token) {
        Object value = Numbers.parseInteger(token.text(), 0);
        if (value == null) {
            throw new JinjaException(token.line(), "the number " + token.text() + " cannot be read");
        }
        return new Expression.Constant(value);
    }

    private Expression postfix(Expression subject) {
        Expression value = subject;
        while (true) {
            if (tokens.skip(".")) {
                TemplateToken name = tokens.next();
                if (name.kind() == Kind.INTEGER) {
                    value = new Expression.Item(value, integer(name));
                } else if (name.kind() == Kind.NAME) {
                    value = new Expression.Attribute(value, name.text());
                } else {
                    throw new JinjaException(name.line(), "a name or a number is needed after '.'");
                }
            } else if (tokens.skip("[")) {
                value = subscript(value);
            } else if (tokens.skip("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    /** Parses the rest of {@code x[}. */
    private Expression subscript(Expression subject) {
        Expression from = tokens.peek().is(":") ? null : expression();
        if (tokens.skip("]")) {
            return new Expression.Item(subject, from);
        }
        if (tokens.skip(",")) {
            List<Expression> items = new ArrayList<>(List.of(from));
            items.addAll(list("]"));
            return new Expression.Item(subject, new Expression.Items(items, true));
        }
        tokens.expect(":");
        Expression to = tokens.peek().is(":") || tokens.peek().is("]") ? null : expression();
        Expression by = tokens.skip(":") && !tokens.peek().is("]") ? expression() : null;
        tokens.expect("]");
        return new Expression.Slice(subject, from, to, by);
    }

    /** Parses the rest of {@code f(}. */
    private ArgumentList arguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        Expression spread = null;
        Expression spreadNamed = null;
        while (!tokens.skip(")")) {
            int line = tokens.line();
            boolean ordered = spreadNamed == null;
            if (tokens.skip("*")) {
                ordered &= spread == null;
                spread = expression();
            } else if (tokens.skip("**")) {
                spreadNamed = expression();
            } else if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is("=")) {
                String name = tokens.next().text();
                tokens.next();
                ordered &= named.put(name, expression()) == null;
            } else {
                ordered &= spread == null && named.isEmpty();
                positional.add(expression());
            }
            if (!ordered) {
                throw new JinjaException(line, "this argument is given twice or in the wrong order");
            }
            if (!tokens.peek().is(")")) {
                tokens.expect(",");
            }
        }
        boolean none = positional.isEmpty() && named.isEmpty() && spread == null && spreadNamed == null;
        return none ? ArgumentList.NONE : new ArgumentList(positional, named, spread, spreadNamed);
    }

    /** Parses any {@code | filter} and {@code is test} that follow. */
    Expression filters(Expression subject) {
        Expression value = subject;
        while (true) {
            if (tokens.skip("|")) {
                value = filter(value);
            } else if (tokens.skip("is")) {
                value = test(value);
            } else if (tokens.skip("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    /** Parses a filter without {@code |} before it, and those that follow. */
    Expression firstFilter(Expression subject) {
        Expression value = filter(subject);
        return tokens.peek().is("|") ? filters(value) : value;
    }

    private Expression filter(Expression subject) {
        String name = tokens.expect(Kind.NAME).text();
        ArgumentList arguments = tokens.skip("(") ? arguments() : ArgumentList.NONE;
        return new Expression.Filtered(subject, name, arguments);
    }

    private Expression test(Expression subject) {
        boolean negated = tokens.skip("not");
        String name = tokens.expect(Kind.NAME).text();
        ArgumentList arguments = ArgumentList.NONE;
        TemplateToken next = tokens.peek();
        if (tokens.skip("(")) {
            arguments = arguments();
        } else if (next.is("is")) {
            throw new JinjaException(next.line(), "tests with 'is' cannot be chained");
        } else if (next.kind() == Kind.NAME && !AFTER_TEST.contains(next.text())
                || next.kind() == Kind.STRING
                || next.kind() == Kind.INTEGER
                || next.kind() == Kind.FLOAT
                || next.is("[")
                || next.is("{")) {
            arguments = new ArgumentList(List.of(postfix(primary())), Map.of(), null, null);
        }
        Expression tested = new Expression.Tested(subject, name, arguments);
        return negated ? new Expression.Not(tested) : tested;
    }
}
