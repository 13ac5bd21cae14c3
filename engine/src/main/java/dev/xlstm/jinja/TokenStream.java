package dev.xlstm.jinja;

import dev.xlstm.jinja.TemplateToken.Kind;
import java.util.List;

/** A cursor over the tokens of a template. */
final class TokenStream {

    private final List<TemplateToken> tokens;
    private int at;

    TokenStream(List<TemplateToken> tokens) {
        this.tokens = tokens;
    }

    TemplateToken peek() {
        return tokens.get(at);
    }

    TemplateToken peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    TemplateToken previous() {
        return tokens.get(at - 1);
    }

    TemplateToken next() {
        TemplateToken token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    int line() {
        return peek().line();
    }

    /** Skips an operator or name if it is next. */
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

    TemplateToken expect(Kind kind) {
        if (peek().kind() != kind) {
            throw unexpected();
        }
        return next();
    }

    JinjaException unexpected() {
        return new JinjaException(line(), "unexpected '" + peek().text() + "'");
    }
}
