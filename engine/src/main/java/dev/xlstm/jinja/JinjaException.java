package dev.xlstm.jinja;

/** A template that cannot be read or rendered, with the line where one is known. */
public final class JinjaException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final boolean located; // says where it happened, or needs not to

    private final boolean raisedByTemplate;

    JinjaException(String message) {
        this(message, false, false);
    }

    JinjaException(int line, String message) {
        this("line " + line + ": " + message, true, false);
    }

    private JinjaException(String message, boolean located, boolean raisedByTemplate) {
        super(message);
        this.located = located;
        this.raisedByTemplate = raisedByTemplate;
    }

    /** What {@code raise_exception} throws. */
    static JinjaException raised(String message) {
        return new JinjaException(message, true, true);
    }

    /** This, saying the line if it does not yet. */
    JinjaException at(int line) {
        return located ? this : new JinjaException(line, getMessage());
    }

    /** Whether the template itself refused, by {@code raise_exception}; then the message is its own. */
    public boolean raisedByTemplate() {
        return raisedByTemplate;
    }
}
