package dev.xlstm.tokenizer;

/** The character classes that pre-tokenisers know, by Unicode code point. */
final class CharClass {
    static final int OTHER = 0;
    static final int LETTER = 1; // \p{L}
    static final int NUMBER = 2; // \p{N}
    static final int SPACE = 3; // \s, that is White_Space

    private static final int LETTERS = 1 << Character.UPPERCASE_LETTER
            | 1 << Character.LOWERCASE_LETTER
            | 1 << Character.TITLECASE_LETTER
            | 1 << Character.MODIFIER_LETTER
            | 1 << Character.OTHER_LETTER;
    private static final int NUMBERS =
            1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER | 1 << Character.OTHER_NUMBER;
    private static final int MARKS =
            1 << Character.NON_SPACING_MARK | 1 << Character.ENCLOSING_MARK | 1 << Character.COMBINING_SPACING_MARK;
    private static final int WORD = MARKS | 1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.CONNECTOR_PUNCTUATION;

    private static final int PUNCTUATION = 1 << Character.CONNECTOR_PUNCTUATION
            | 1 << Character.DASH_PUNCTUATION
            | 1 << Character.START_PUNCTUATION
            | 1 << Character.END_PUNCTUATION
            | 1 << Character.INITIAL_QUOTE_PUNCTUATION
            | 1 << Character.FINAL_QUOTE_PUNCTUATION
            | 1 << Character.OTHER_PUNCTUATION;

    private CharClass() {}

    /** The class of the code point that begins at {@code text[at]}; surrogates come in pairs. */
    static int at(char[] text, int at) {
        char c = text[at];
        if (c < 0x80) {
            if (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
                return LETTER;
            }
            if (c == ' ' || c >= '\t' && c <= '\r') {
                return SPACE;
            }
            return c >= '0' && c <= '9' ? NUMBER : OTHER;
        }
        if (isSpace(c)) {
            return SPACE;
        }
        int type = 1 << Character.getType(Character.isHighSurrogate(c) ? Character.toCodePoint(c, text[at + 1]) : c);
        return (type & LETTERS) != 0 ? LETTER : (type & NUMBERS) != 0 ? NUMBER : OTHER;
    }

    /** Chars of the code point that begins at {@code text[at]}. */
    static int length(char[] text, int at) {
        return Character.isHighSurrogate(text[at]) ? 2 : 1;
    }

    /** White_Space; all of it lies in the BMP. */
    static boolean isSpace(char c) {
        if (c < 0x80) {
            return c == ' ' || c >= '\t' && c <= '\r';
        }
        return c == 0x85
                || c == 0xA0
                || c == 0x1680
                || c >= 0x2000 && c <= 0x200A
                || c == 0x2028
                || c == 0x2029
                || c == 0x202F
                || c == 0x205F
                || c == 0x3000;
    }

    /** A word character (\w) by UTS #18. */
    static boolean isWord(int codePoint) {
        return Character.isAlphabetic(codePoint)
                || (1 << Character.getType(codePoint) & WORD) != 0
                || codePoint == 0x200C
                || codePoint == 0x200D;
    }

    /** Punctuation as the Punctuation pre-tokeniser has it: ASCII's, and the general categories P. */
    static boolean isPunctuation(int codePoint) {
        if (codePoint < 0x80) {
            return codePoint > ' ' && codePoint < 0x7F && !Character.isLetterOrDigit(codePoint);
        }
        return (1 << Character.getType(codePoint) & PUNCTUATION) != 0;
    }

    /** Whether a code point has a numeric general category. */
    static boolean isNumber(int codePoint) {
        return (1 << Character.getType(codePoint) & NUMBERS) != 0;
    }

    /** A mark: the general categories that hold every character with a combining class. */
    static boolean isMark(int codePoint) {
        return (1 << Character.getType(codePoint) & MARKS) != 0;
    }
}
