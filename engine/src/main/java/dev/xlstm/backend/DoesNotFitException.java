package dev.xlstm.backend;

/** A model is not for a device: too large, or of blocks it has no kernels for. The message names the limit. */
public final class DoesNotFitException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    public DoesNotFitException(String message) {
        super(message);
    }
}
