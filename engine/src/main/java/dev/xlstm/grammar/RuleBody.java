package dev.xlstm.grammar;

import java.util.List;

/** The right-hand side of a rule. */
sealed interface RuleBody {

    /** The empty text. */
    RuleBody EMPTY = new Sequence(List.of());

    /** Exactly this text. */
    record Literal(String text) implements RuleBody {}

    /** One character of a set. */
    record OneOf(CharSet chars) implements RuleBody {}

    /** The concatenation of the items. */
    record Sequence(List<RuleBody> items) implements RuleBody {}

    /** Any one of the alternatives. */
    record Choice(List<RuleBody> alternatives) implements RuleBody {}

    /**
     * The body, {@code min} to {@code max} times.
     *
     * @param max {@link #UNLIMITED} for no upper bound
     */
    record Repeat(RuleBody body, int min, int max) implements RuleBody {}

    /** A reference to the rule of this name. */
    record RuleCall(String rule) implements RuleBody {}

    /** The value of {@link Repeat#max} that sets no upper bound. */
    int UNLIMITED = -1;

    static RuleBody sequence(RuleBody... items) {
        return items.length == 1 ? items[0] : new Sequence(List.of(items));
    }

    static RuleBody choice(List<RuleBody> alternatives) {
        return alternatives.size() == 1 ? alternatives.get(0) : new Choice(List.copyOf(alternatives));
    }

    static RuleBody choice(RuleBody... alternatives) {
        return choice(List.of(alternatives));
    }

    static RuleBody optional(RuleBody body) {
        return new Repeat(body, 0, 1);
    }

    static RuleBody literal(String text) {
        return new Literal(text);
    }
}
