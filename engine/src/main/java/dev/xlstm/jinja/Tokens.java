package dev.xlstm.jinja;

import dev.xlstm.jinja.Token.Kind;
import java.util.List;

/** The tokens of a template, read one after the other. */
final class Tokens {

    private final List<Token> tokens;
    private int at;

    Tokens(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token previous() {
        return tokens.get(at - 1);
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    int line() {
        return peek().line();
    }

    /** Goes past an operator or name if it is next. */
    boolean skip(String operatorOrName) {
        if (!peek().is(operatorOrName)) {
            return false;
        }
        next();
        return true;
    }

    void expect(String operatorOrName) {
        if (!skip(operatorOrName)) {
            throw new JinjaException(line(), "'" + operatorOrName + "' is needed, not '" + peek().text() + "'");
        }
    }

    Token expect(Kind kind) {
        if (peek().kind() != kind) {
            throw unexpected();
        }
        return next();
    }

    JinjaException unexpected() {
        return new JinjaException(line(), "unexpected '" + peek().text() + "'");
    }
}
