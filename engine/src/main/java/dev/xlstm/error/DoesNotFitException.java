package dev.xlstm.error;

/** A device cannot take the model: it is too large, or has blocks without kernels. The message names the limit. */
public class DoesNotFitException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    public DoesNotFitException(String message) {
        super(message);
    }
}
