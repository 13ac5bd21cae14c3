package dev.xlstm.chat;

/** A turn that cannot be taken, in one line; the conversation is as it was before. */
public final class ChatException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    ChatException(String message) {
        super(message);
    }
}
