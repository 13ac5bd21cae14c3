package dev.xlstm.session;

/**
 * A model's numbers overflowed or were never numbers: whatever a session would say from here on means nothing. The message
 * says after which token.
 */
public final class NonFiniteException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    /** For the ids {@code [from, to)}, counted from the session's first. */
    NonFiniteException(long from, long to) {
        super("the model's numbers are not finite any more after token " + (to - 1)
                + (to - from > 1 ? " (they were before token " + from + ")" : "")
                + "; its weights, or the state it started from, are damaged");
    }
}
