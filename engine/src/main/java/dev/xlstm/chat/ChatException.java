package dev.xlstm.chat;

import dev.xlstm.error.BadRequestException;

/** A turn that cannot be taken, in one line; the conversation is as it was before. */
public final class ChatException extends BadRequestException {

    private static final long serialVersionUID = 1;

    ChatException(String message) {
        super(message);
    }
}
