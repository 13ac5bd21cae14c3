package dev.xlstm.jinja;

/** A template that cannot be parsed or rendered; the message gives the line where it is known. */
public final class JinjaException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final boolean located; // the message gives the line, or needs none

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

    /** The error that {@code raise_exception} throws. */
    static JinjaException raised(String message) {
        return new JinjaException(message, true, true);
    }

    /** This error with the line added to its message, unless it has one. */
    JinjaException at(int line) {
        return located ? this : new JinjaException(line, getMessage());
    }

    /** Whether the template called {@code raise_exception}; the message is then the template's own. */
    public boolean raisedByTemplate() {
        return raisedByTemplate;
    }
}
