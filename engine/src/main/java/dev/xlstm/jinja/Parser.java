package dev.xlstm.jinja;

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

/** Parses the statements of a template; {@link ExpressionParser} parses the expressions in them. */
final class Parser {

    private static final Set<String> CONSTANTS = Set.of("true", "false", "none", "True", "False", "None");

    private final TokenStream tokens;
    private final ImplicitNames names = new ImplicitNames();
    private final ExpressionParser expressions;
    private int depth;
    private int loops; // open loops around the current statement

    private Parser(TokenStream tokens) {
        this.tokens = tokens;
        expressions = new ExpressionParser(tokens, names);
    }

    static Block parse(String template) {
        Parser parser = new Parser(new TokenStream(Lexer.tokens(template)));
        Block block = parser.block(Set.of());
        if (parser.tokens.peek().kind() != Kind.END) {
            throw parser.tokens.unexpected();
        }
        return block;
    }

    /** Parses statements up to a tag that begins with one of {@code ends}; the next token is its name. */
    private Block block(Set<String> ends) {
        if (++depth > JinjaLimits.NESTING) {
            throw new JinjaException(tokens.line(), "blocks are nested deeper than " + JinjaLimits.NESTING);
        }
        List<Statement> statements = new ArrayList<>();
        List<Integer> lines = new ArrayList<>();
        while (tokens.peek().kind() != Kind.END) {
            int line = tokens.line();
            if (tokens.peek().kind() == Kind.DATA) {
                statements.add(
                        new Statement.Data(TrackedString.trusted(tokens.next().text())));
            } else if (tokens.peek().kind() == Kind.OUTPUT_BEGIN) {
                tokens.next();
                statements.add(new Statement.Print(List.of(expressions.tuple())));
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

    /** Parses the end of a tag that begins a body; a colon may precede it. */
    private void beginBody() {
        tokens.skip(":");
        tokens.expect(Kind.BLOCK_END);
    }

    /** Parses a body and its end tag. */
    private Block body(String end) {
        beginBody();
        Block block = block(Set.of(end));
        tokens.next();
        tokens.expect(Kind.BLOCK_END);
        return block;
    }

    /** Parses a body that is a function of its own: it cannot jump in a loop around it. */
    private Block functionBody(String end) {
        int outside = loops;
        loops = 0;
        Block block = body(end);
        loops = outside;
        return block;
    }

    private Statement statement() {
        TemplateToken name = tokens.expect(Kind.NAME);
        return switch (name.text()) {
            case "if" -> conditional();
            case "for" -> loop();
            case "set" -> assignment();
            case "macro" -> macro();
            case "call" -> call();
            case "filter" -> filterBlock();
            case "with" -> with();
            case "print" -> print();
            case "block" -> namedBlock();
            case "generation" -> new Statement.Scoped(functionBody("endgeneration")); // marks text for training only
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new JinjaException(name.line(), "{% " + name.text() + " %} outside of a loop");
                }
                tokens.expect(Kind.BLOCK_END);
                yield new Statement.Jump(name.text().equals("break") ? Flow.BREAK : Flow.CONTINUE);
            }
            case "autoescape" -> {
                expressions.expression();
                body("endautoescape");
                yield new Statement.Unsupported(name.text());
            }
            case "include", "import", "from", "extends" -> {
                while (tokens.peek().kind() != Kind.BLOCK_END && tokens.peek().kind() != Kind.END) {
                    tokens.next();
                }
                tokens.expect(Kind.BLOCK_END);
                yield new Statement.Unsupported(name.text());
            }
            default -> throw new JinjaException(name.line(), "the tag {% " + name.text() + " %} is not known");
        };
    }

    private Statement conditional() {
        List<Expression> conditions = new ArrayList<>();
        List<Block> blocks = new ArrayList<>();
        do {
            conditions.add(expressions.unconditional());
            beginBody();
            blocks.add(block(Set.of("elif", "else", "endif")));
        } while (tokens.next().is("elif"));
        if (tokens.previous().is("else")) {
            return new Statement.If(conditions, blocks, body("endif"));
        }
        tokens.expect(Kind.BLOCK_END);
        return new Statement.If(conditions, blocks, Block.EMPTY);
    }

    private Statement loop() {
        int line = tokens.line();
        Target target = target("in");
        if (isAssigned(target, "loop")) {
            throw new JinjaException(line, "a loop cannot assign to 'loop'");
        }
        tokens.expect("in");
        Expression iterable = expressions.unconditional();
        Expression condition = tokens.skip("if") ? expressions.expression() : null;
        boolean recursive = tokens.skip("recursive");
        beginBody();
        loops++;
        Block block = block(Set.of("else", "endfor"));
        loops--;
        Block otherwise = Block.EMPTY;
        if (tokens.next().is("else")) {
            otherwise = body("endfor");
        } else {
            tokens.expect(Kind.BLOCK_END);
        }
        return new Statement.For(target, iterable, condition, recursive, block, otherwise);
    }

    private static boolean isAssigned(Target target, String name) {
        return target.several() == null
                ? target.attribute() == null && target.name().equals(name)
                : target.several().stream().anyMatch(part -> isAssigned(part, name));
    }

    /** Parses the target of an assignment up to {@code end}: one, or several separated by commas. */
    private Target target(String end) {
        List<Target> targets = new ArrayList<>();
        boolean several = false;
        do {
            if (tokens.peek().is(end) || tokens.peek().kind() == Kind.BLOCK_END) {
                break;
            }
            if (tokens.skip("(")) {
                targets.add(target(")"));
                tokens.expect(")");
            } else {
                targets.add(namedTarget());
            }
            several |= tokens.peek().is(",");
        } while (tokens.skip(","));
        if (targets.isEmpty()) {
            throw tokens.unexpected();
        }
        return several ? new Target(null, null, targets) : targets.get(0);
    }

    private Target namedTarget() {
        TemplateToken name = tokens.expect(Kind.NAME);
        if (CONSTANTS.contains(name.text())) {
            throw new JinjaException(name.line(), "cannot assign to '" + name.text() + "'");
        }
        if (tokens.skip(".")) {
            return new Target(name.text(), tokens.expect(Kind.NAME).text(), null);
        }
        names.assigned(name.text());
        return new Target(name.text(), null, null);
    }

    private Statement assignment() {
        Target target = target("=");
        if (tokens.skip("=")) {
            Expression value = expressions.tuple();
            tokens.expect(Kind.BLOCK_END);
            return new Statement.Assignment(target, value);
        }
        Expression filtered = expressions.filters(new Expression.Name(Statement.Capture.CAPTURED));
        return new Statement.Capture(target, filtered, body("endset"));
    }

    private Statement filterBlock() {
        Expression filtered = expressions.firstFilter(new Expression.Name(Statement.Capture.CAPTURED));
        return new Statement.FilterBlock(filtered, body("endfilter"));
    }

    private Statement with() {
        List<Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (tokens.peek().kind() != Kind.BLOCK_END && !tokens.peek().is(":")) {
            targets.add(namedTarget());
            tokens.expect("=");
            values.add(expressions.expression());
            if (!tokens.skip(",")) {
                break;
            }
        }
        return new Statement.With(targets, values, body("endwith"));
    }

    private Statement print() {
        List<Expression> printed = new ArrayList<>();
        while (tokens.peek().kind() != Kind.BLOCK_END) {
            if (!printed.isEmpty()) {
                tokens.expect(",");
            }
            printed.add(expressions.expression());
        }
        tokens.expect(Kind.BLOCK_END);
        return new Statement.Print(printed);
    }

    /** Parses {@code {% block name %}}, which without inheritance is just a scope. */
    private Statement namedBlock() {
        String name = tokens.expect(Kind.NAME).text();
        tokens.skip("scoped");
        tokens.skip("required");
        beginBody();
        Block block = block(Set.of("endblock"));
        tokens.next();
        tokens.skip(name);
        tokens.expect(Kind.BLOCK_END);
        return new Statement.Scoped(block);
    }

    private Statement macro() {
        TemplateToken name = tokens.expect(Kind.NAME);
        if (!tokens.peek().is("(")) {
            throw tokens.unexpected();
        }
        return function(name.text(), signature(), "endmacro");
    }

    private record Signature(List<String> parameters, Map<String, Expression> defaults) {}

    private Signature signature() {
        Signature signature = new Signature(new ArrayList<>(), new LinkedHashMap<>());
        if (!tokens.skip("(")) {
            return signature;
        }
        while (!tokens.skip(")")) {
            int line = tokens.line();
            String parameter = tokens.expect(Kind.NAME).text();
            if (CONSTANTS.contains(parameter) || signature.parameters.contains(parameter)) {
                throw new JinjaException(line, "'" + parameter + "' cannot be a parameter here");
            }
            signature.parameters.add(parameter);
            if (tokens.skip("=")) {
                signature.defaults.put(parameter, expressions.expression());
            } else if (!signature.defaults.isEmpty()) {
                throw new JinjaException(line, "the parameter '" + parameter + "' needs a default, as those before it");
            }
            if (!tokens.peek().is(")")) {
                tokens.expect(",");
            }
        }
        return signature;
    }

    private Macro function(String name, Signature signature, String end) {
        int line = tokens.line();
        names.enterMacro();
        Block block = functionBody(end);
        Set<String> implicit = names.leaveMacro();
        boolean ownCaller = signature.parameters.contains("caller");
        if (ownCaller && implicit.contains("caller") && !signature.defaults.containsKey("caller")) {
            throw new JinjaException(line, "the parameter 'caller' needs a default");
        }
        signature.parameters.forEach(implicit::remove);
        return new Macro(name, signature.parameters, signature.defaults, implicit, block);
    }

    private Statement call() {
        int line = tokens.line();
        Signature signature = signature();
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw new JinjaException(line, "{% call %} needs a call");
        }
        Expression caller = new Expression.Name(Statement.CallBlock.CALLER);
        Expression.Call withCaller =
                new Expression.Call(call.function(), call.arguments().with("caller", caller));
        return new Statement.CallBlock(withCaller, function(null, signature, "endcall"));
    }
}
