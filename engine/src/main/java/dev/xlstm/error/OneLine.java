package dev.xlstm.error;

/** Makes a message safe for a terminal. */
final class OneLine {

    private OneLine() {}

    /** Replaces control characters: names in files come from strangers and may hold escape sequences. */
    static String of(String message) {
        return message.replaceAll("\\p{Cc}", "?");
    }
}
