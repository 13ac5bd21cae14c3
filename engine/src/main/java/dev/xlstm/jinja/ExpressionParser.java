package dev.xlstm.jinja;

import dev.xlstm.jinja.Expression.ArgumentList;
import dev.xlstm.jinja.TemplateToken.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions; each method stands for one level of binding, the loosest first. */
final class ExpressionParser {

    private static final ArgumentList NO_ARGUMENTS = new ArgumentList(List.of(), Map.of());
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");
    private static final Set<String> AFTER_TEST = Set.of("else", "or", "and", "is", "if", "in", "not");

    private final TokenStream tokens;
    private int depth;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** An expression, or several with commas between, which are a tuple. */
    Expression tuple() {
        return tuple(true);
    }

    /** As {@link #tuple()}, without {@code a if b else c} outside of brackets. */
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
        return tuple ? new Expression.ListOf(items, true) : items.get(0);
    }

    Expression expression() {
        if (++depth > JinjaLimits.NESTING) {
            throw new JinjaException(tokens.line(), "an expression is nested too deep");
        }
        Expression value = or();
        while (tokens.skip("if")) {
            Expression test = or();
            value = new Expression.Conditional(test, value, tokens.skip("else") ? expression() : null);
        }
        depth--;
        return value;
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
        boolean negated = false;
        while (tokens.skip("not")) {
            negated = !negated;
            if (!negated && !tokens.peek().is("not")) {
                // not not x is the truth of x
                return new Expression.Not(new Expression.Not(comparison()));
            }
        }
        return negated ? new Expression.Not(comparison()) : comparison();
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

    private Expression power() {
        Expression left = unary(true);
        while (tokens.skip("**")) {
            left = new Expression.Arithmetic("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        if (++depth > JinjaLimits.NESTING) {
            throw new JinjaException(tokens.line(), "an expression is nested too deep");
        }
        Expression value;
        if (tokens.skip("-")) {
            value = new Expression.Negated(unary(false));
        } else if (tokens.skip("+")) {
            value = unary(false);
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
                    default -> new Expression.Name(token.text());
                };
            case STRING:
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.peek().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                return new Expression.Constant(text.toString());
            case INTEGER:
                return integer(token);
            case FLOAT:
                return new Expression.Constant(Double.parseDouble(token.text()));
            default:
                break;
        }
        if (token.is("(")) {
            if (tokens.skip(")")) {
                return new Expression.ListOf(List.of(), true);
            }
            Expression inside = tuple();
            tokens.expect(")");
            return inside;
        }
        if (token.is("[")) {
            return new Expression.ListOf(list("]"), false);
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
        return new Expression.DictOf(keys, values);
    }

    private static Expression integer(TemplateToken token) {
        try {
            return new Expression.Constant(Long.parseLong(token.text()));
        } catch (NumberFormatException e) {
            throw new JinjaException(token.line(), "the number " + token.text() + " is too large");
        }
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
                    throw new JinjaException(name.line(), "a name is needed after '.'");
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

    /** What follows {@code x[}. */
    private Expression subscript(Expression subject) {
        Expression from = tokens.peek().is(":") ? null : expression();
        if (tokens.skip("]")) {
            return new Expression.Item(subject, from);
        }
        tokens.expect(":");
        Expression to = tokens.peek().is(":") || tokens.peek().is("]") ? null : expression();
        Expression by = tokens.skip(":") && !tokens.peek().is("]") ? expression() : null;
        tokens.expect("]");
        return new Expression.Slice(subject, from, to, by);
    }

    /** What follows {@code f(}. */
    private ArgumentList arguments() {
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.skip(")")) {
            if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is("=")) {
                String name = tokens.next().text();
                tokens.next();
                named.put(name, expression());
            } else {
                positional.add(expression());
            }
            if (!tokens.peek().is(")")) {
                tokens.expect(",");
            }
        }
        return new ArgumentList(positional, named);
    }

    /** Any {@code | filter} and {@code is test} that follow. */
    Expression filters(Expression subject) {
        Expression value = subject;
        while (true) {
            if (tokens.skip("|")) {
                value = filter(value);
            } else if (tokens.peek().is("is")) {
                tokens.next();
                value = test(value);
            } else if (tokens.skip("(")) {
                value = new Expression.Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    /** A filter whose {@code |} has been read, and those that follow. */
    Expression firstFilter(Expression subject) {
        Expression value = filter(subject);
        return tokens.peek().is("|") ? filters(value) : value;
    }

    private Expression filter(Expression subject) {
        TemplateToken name = tokens.expect(Kind.NAME);
        Filters.Filter filter = Filters.get(name.text());
        if (filter == null) {
            throw new JinjaException(name.line(), "no filter named '" + name.text() + "' is known");
        }
        ArgumentList arguments = tokens.skip("(") ? arguments() : NO_ARGUMENTS;
        return new Expression.Filtered(subject, filter, arguments);
    }

    private Expression test(Expression subject) {
        boolean negated = tokens.skip("not");
        TemplateToken name = tokens.expect(Kind.NAME);
        Tests.Test test = Tests.get(name.text());
        if (test == null) {
            throw new JinjaException(name.line(), "no test named '" + name.text() + "' is known");
        }
        ArgumentList arguments = NO_ARGUMENTS;
        TemplateToken next = tokens.peek();
        if (tokens.skip("(")) {
            arguments = arguments();
        } else if (next.kind() == Kind.NAME && !AFTER_TEST.contains(next.text())
                || next.kind() == Kind.STRING
                || next.kind() == Kind.INTEGER
                || next.kind() == Kind.FLOAT
                || next.is("[")
                || next.is("{")) {
            arguments = new ArgumentList(List.of(postfix(primary())), Map.of());
        }
        Expression tested = new Expression.Tested(subject, test, arguments);
        return negated ? new Expression.Not(tested) : tested;
    }
}
