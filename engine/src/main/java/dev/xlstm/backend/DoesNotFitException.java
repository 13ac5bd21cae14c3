package dev.xlstm.backend;

/** A model is too large for a device. The message names the limit. */
public final class DoesNotFitException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    public DoesNotFitException(String message) {
        super(message);
    }
}
