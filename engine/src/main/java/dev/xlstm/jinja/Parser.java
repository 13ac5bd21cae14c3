package dev.xlstm.jinja;

import dev.xlstm.jinja.Expression.ArgumentList;
import dev.xlstm.jinja.Statement.Block;
import dev.xlstm.jinja.Statement.Flow;
import dev.xlstm.jinja.Statement.Macro;
import dev.xlstm.jinja.Statement.Target;
import dev.xlstm.jinja.TemplateToken.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes the statements of a template from its tokens; the expressions in them are read by {@link ExpressionParser}. */
final class Parser {

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int depth;
    private int loops; // open around the statement being read

    private Parser(TokenStream tokens) {
        this.tokens = tokens;
        expressions = new ExpressionParser(tokens);
    }

    static Block parse(String template) {
        Parser parser = new Parser(new TokenStream(Lexer.tokens(template)));
        Block block = parser.block(Set.of());
        if (parser.tokens.peek().kind() != Kind.END) {
            throw parser.tokens.unexpected();
        }
        return block;
    }

    /** Statements up to a tag that begins with one of {@code ends}, whose name is the next token then. */
    private Block block(Set<String> ends) {
        if (++depth > JinjaLimits.NESTING) {
            throw new JinjaException(tokens.line(), "blocks are nested too deep");
        }
        List<Statement> statements = new ArrayList<>();
        List<Integer> lines = new ArrayList<>();
        while (tokens.peek().kind() != Kind.END) {
            int line = tokens.line();
            if (tokens.peek().kind() == Kind.DATA) {
                statements.add(new Statement.Data(tokens.next().text()));
            } else if (tokens.peek().kind() == Kind.OUTPUT_BEGIN) {
                tokens.next();
                statements.add(new Statement.Output(expressions.tuple()));
                tokens.expect(Kind.OUTPUT_END);
            } else {
                tokens.expect(Kind.BLOCK_BEGIN);
                if (ends.contains(tokens.peek().text())) {
                    break;
                }
                statements.add(statement());
            }
            lines.add(line);
        }
        if (tokens.peek().kind() == Kind.END && !ends.isEmpty()) {
            throw new JinjaException(
                    tokens.line(), "the template ends where {% " + String.join(" or ", ends) + " %} is needed");
        }
        depth--;
        return new Block(statements, lines);
    }

    /** A block that ends with {@code {% end %}}, read up to and with it. */
    private Block blockTo(String end) {
        Block block = block(Set.of(end));
        tokens.next();
        tokens.expect(Kind.BLOCK_END);
        return block;
    }

    private Statement statement() {
        TemplateToken name = tokens.expect(Kind.NAME);
        return switch (name.text()) {
            case "if" -> conditional();
            case "for" -> loop();
            case "set" -> assignment();
            case "macro" -> macro(tokens.expect(Kind.NAME).text(), "endmacro");
            case "call" -> call();
            case "filter" -> filterBlock();
            case "with" -> with();
            case "generation" -> {
                // marks the model's own words for training; writes nothing itself
                tokens.expect(Kind.BLOCK_END);
                yield blockTo("endgeneration");
            }
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new JinjaException(name.line(), "{% " + name.text() + " %} outside of a loop");
                }
                tokens.expect(Kind.BLOCK_END);
                yield new Statement.Jump(name.text().equals("break") ? Flow.BREAK : Flow.CONTINUE);
            }
            default -> throw new JinjaException(name.line(), "{% " + name.text() + " %} is not known");
        };
    }

    private Statement conditional() {
        List<Expression> conditions = new ArrayList<>();
        List<Block> blocks = new ArrayList<>();
        Block otherwise = Block.EMPTY;
        while (true) {
            conditions.add(expressions.expression());
            tokens.expect(Kind.BLOCK_END);
            blocks.add(block(Set.of("elif", "else", "endif")));
            if (!tokens.next().is("elif")) {
                break;
            }
        }
        boolean more = tokens.previous().is("else");
        tokens.expect(Kind.BLOCK_END);
        if (more) {
            otherwise = blockTo("endif");
        }
        return new Statement.If(conditions, blocks, otherwise);
    }

    private Statement loop() {
        Target target = targets("in");
        tokens.expect("in");
        Expression iterable = expressions.unconditional();
        Expression condition = tokens.skip("if") ? expressions.expression() : null;
        if (tokens.peek().is("recursive")) {
            throw new JinjaException(tokens.line(), "recursive loops are not supported");
        }
        tokens.expect(Kind.BLOCK_END);
        loops++;
        Block block = block(Set.of("else", "endfor"));
        loops--;
        boolean more = tokens.next().is("else");
        tokens.expect(Kind.BLOCK_END);
        return new Statement.For(target, iterable, condition, block, more ? blockTo("endfor") : Block.EMPTY);
    }

    /** One target, or several with commas between, up to a name or operator. */
    private Target targets(String end) {
        List<Target> targets = new ArrayList<>();
        boolean several = false;
        do {
            if (tokens.peek().is(end)) {
                break;
            }
            if (tokens.skip("(")) {
                targets.add(targets(")"));
                tokens.expect(")");
            } else {
                String name = tokens.expect(Kind.NAME).text();
                String attribute = tokens.skip(".") ? tokens.expect(Kind.NAME).text() : null;
                targets.add(new Target(name, attribute, null));
            }
            several |= tokens.peek().is(",");
        } while (tokens.skip(","));
        if (targets.isEmpty()) {
            throw tokens.unexpected();
        }
        return several ? new Target(null, null, targets) : targets.get(0);
    }

    private Statement assignment() {
        Target target = targets("=");
        if (tokens.skip("=")) {
            Expression value = expressions.tuple();
            tokens.expect(Kind.BLOCK_END);
            return new Statement.Assignment(target, value);
        }
        Expression filtered = expressions.filters(new Expression.Name(Statement.Capture.CAPTURED));
        tokens.expect(Kind.BLOCK_END);
        return new Statement.Capture(target, filtered, blockTo("endset"));
    }

    private Statement filterBlock() {
        Expression filtered = expressions.firstFilter(new Expression.Name(Statement.Capture.CAPTURED));
        tokens.expect(Kind.BLOCK_END);
        return new Statement.FilterBlock(filtered, blockTo("endfilter"));
    }

    private Statement with() {
        List<Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (tokens.peek().kind() != Kind.BLOCK_END) {
            targets.add(new Target(tokens.expect(Kind.NAME).text(), null, null));
            tokens.expect("=");
            values.add(expressions.expression());
            if (!tokens.skip(",")) {
                break;
            }
        }
        tokens.expect(Kind.BLOCK_END);
        return new Statement.With(targets, values, blockTo("endwith"));
    }

    private Macro macro(String name, String end) {
        List<String> parameters = new ArrayList<>();
        Map<String, Expression> defaults = new LinkedHashMap<>();
        if (tokens.skip("(")) {
            while (!tokens.skip(")")) {
                String parameter = tokens.expect(Kind.NAME).text();
                parameters.add(parameter);
                if (tokens.skip("=")) {
                    defaults.put(parameter, expressions.expression());
                }
                if (!tokens.peek().is(")")) {
                    tokens.expect(",");
                }
            }
        }
        tokens.expect(Kind.BLOCK_END);
        int outside = loops;
        loops = 0;
        Block block = blockTo(end);
        loops = outside;
        return new Macro(name, parameters, defaults, block);
    }

    private Statement call() {
        if (tokens.peek().is("(")) {
            throw new JinjaException(tokens.line(), "call blocks with arguments are not supported");
        }
        if (!(expressions.unconditional() instanceof Expression.Call call)) {
            throw new JinjaException(tokens.line(), "{% call %} needs a call");
        }
        Map<String, Expression> named = new LinkedHashMap<>(call.arguments().named());
        named.put("caller", new Expression.Name(Statement.CallBlock.CALLER));
        ArgumentList arguments = new ArgumentList(call.arguments().positional(), named);
        return new Statement.CallBlock(new Expression.Call(call.function(), arguments), macro("caller", "endcall"));
    }
}
