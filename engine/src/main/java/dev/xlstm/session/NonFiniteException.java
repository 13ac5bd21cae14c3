package dev.xlstm.session;

/**
 * A model computed infinities or NaN, so everything that a session would compute from here on is meaningless. The message
 * says after which token.
 */
public final class NonFiniteException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    /** For the ids {@code [from, to)}, counted from the session's first. */
    NonFiniteException(long from, long to) {
        super("the model's numbers are not finite after token " + (to - 1)
                + (to - from > 1 ? " (they were finite before token " + from + ")" : "")
                + "; its weights, or the state that the session started from, are damaged");
    }
}
