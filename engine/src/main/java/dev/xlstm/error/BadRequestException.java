package dev.xlstm.error;

/** The caller asked for what cannot be done: a value out of its range, an unknown field, a grammar that does not parse. */
public class BadRequestException extends IllegalArgumentException {

    private static final long serialVersionUID = 1;

    public BadRequestException(String message) {
        super(message);
    }

    public BadRequestException(String message, Throwable cause) {
        super(message, cause);
    }
}
