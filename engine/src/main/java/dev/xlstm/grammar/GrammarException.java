package dev.xlstm.grammar;

import dev.xlstm.error.BadRequestException;

/** A grammar or schema that cannot be used; the message says where, what is wrong and what to do. */
public final class GrammarException extends BadRequestException {

    private static final long serialVersionUID = 1;

    public GrammarException(String message) {
        super(message);
    }
}
