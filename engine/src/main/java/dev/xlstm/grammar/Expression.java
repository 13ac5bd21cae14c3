package dev.xlstm.grammar;

import java.util.List;

/** The right-hand side of a rule. */
sealed interface Expression {

    /** Nothing. */
    Expression EMPTY = new Sequence(List.of());

    /** These characters, one after the other. */
    record Literal(String text) implements Expression {}

    /** One character of a set. */
    record OneOf(CharSet chars) implements Expression {}

    /** All, one after the other. */
    record Sequence(List<Expression> items) implements Expression {}

    /** One of them. */
    record Choice(List<Expression> alternatives) implements Expression {}

    /**
     * The same, several times.
     *
     * @param max {@link #UNLIMITED} for any number
     */
    record Repeat(Expression body, int min, int max) implements Expression {}

    /** What the rule of this name says. */
    record Call(String rule) implements Expression {}

    /** A {@link Repeat#max} without bound. */
    int UNLIMITED = -1;

    static Expression sequence(Expression... items) {
        return items.length == 1 ? items[0] : new Sequence(List.of(items));
    }

    static Expression choice(List<Expression> alternatives) {
        return alternatives.size() == 1 ? alternatives.get(0) : new Choice(List.copyOf(alternatives));
    }

    static Expression choice(Expression... alternatives) {
        return choice(List.of(alternatives));
    }

    static Expression optional(Expression body) {
        return new Repeat(body, 0, 1);
    }

    static Expression literal(String text) {
        return new Literal(text);
    }
}
