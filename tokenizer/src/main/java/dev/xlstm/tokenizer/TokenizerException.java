package dev.xlstm.tokenizer;

import java.io.IOException;

/** A tokenizer.json that cannot be used: one line naming the file, the field and what to do. */
public final class TokenizerException extends IOException {
    private static final long serialVersionUID = 1L;

    TokenizerException(String where, String problem) {
        super(where + ": " + problem);
    }

    TokenizerException(String where, String problem, Throwable cause) {
        super(where + ": " + problem, cause);
    }

    /** Text of a file as a message shows it: short, on one line, without control characters. */
    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            if (quoted.length() > 60) {
                return quoted.append("…\"").toString();
            }
            char c = text.charAt(i);
            boolean plain = c >= ' ' && c < 0x7F || Character.isLetterOrDigit(c);
            quoted.append(plain ? String.valueOf(c) : String.format("\\u%04x", (int) c));
        }
        return quoted.append('"').toString();
    }
}
