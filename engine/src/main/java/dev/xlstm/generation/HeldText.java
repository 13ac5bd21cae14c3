package dev.xlstm.generation;

/**
 * Text held back because it may be the beginning of a stop string, with the special tokens in it: these are part of what
 * stop strings are compared with, but not of the text that comes out.
 *
 * @param chars text and the spellings of special tokens
 * @param kinds one character for each of {@code chars}: {@code t} text, {@code s} the first of a special token's spelling,
 *     {@code -} the rest of it
 */
record HeldText(String chars, String kinds) {

    static final char TEXT = 't';
    static final char SPECIAL = 's';
    static final char SPECIAL_REST = '-';

    static final HeldText NONE = new HeldText("", "");

    /**
     * @throws IllegalArgumentException if the two do not fit together
     */
    HeldText {
        if (chars.length() != kinds.length() || !kinds.matches("(t|s-*)*")) {
            throw new IllegalArgumentException("text held back and its kinds do not fit together");
        }
    }

    static HeldText of(String text) {
        return new HeldText(text, String.valueOf(TEXT).repeat(text.length()));
    }

    boolean hasSpecialTokens() {
        return kinds.indexOf(SPECIAL) >= 0;
    }

    /** The characters without special tokens. */
    String text() {
        return text(chars, kinds, chars.length());
    }

    /** The text in the first {@code length} characters. */
    static String text(CharSequence chars, CharSequence kinds, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            if (kinds.charAt(i) == TEXT) {
                text.append(chars.charAt(i));
            }
        }
        return text.toString();
    }
}
