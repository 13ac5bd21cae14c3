package dev.xlstm.tokenizer;

/** Parts that the hand-written word patterns share. */
final class Words {
    private Words() {}

    /** The end of the run of code points of one class that begins at {@code from}; {@code to} at most. */
    static int runEnd(char[] text, int from, int to, int kind) {
        int at = from;
        while (at < to && CharClass.at(text, at) == kind) {
            at += CharClass.length(text, at);
        }
        return at;
    }

    /**
     * White space by {@code \s+(?!\S)|\s+}: the whole run, but before a word its last char belongs to the word.
     *
     * @return the end, -1 if later text decides it
     */
    static int spaceEnd(char[] text, int from, int to, boolean last) {
        int end = runEnd(text, from, to, CharClass.SPACE);
        if (end == to) {
            return last ? end : -1;
        }
        return Math.max(from + 1, end - 1);
    }

    /**
     * The chars of {@code 's 't 're 've 'm 'll 'd} at an apostrophe.
     *
     * @return 0 if there is none, -1 if later text decides it
     */
    static int contraction(char[] text, int from, int to, boolean last, boolean ignoreCase) {
        if (from + 1 == to) {
            return last ? 0 : -1;
        }
        char first = fold(text[from + 1], ignoreCase);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return 2;
        }
        if (first != 'r' && first != 'v' && first != 'l') {
            return 0;
        }
        if (from + 2 == to) {
            return last ? 0 : -1;
        }
        return fold(text[from + 2], ignoreCase) == (first == 'l' ? 'l' : 'e') ? 3 : 0;
    }

    private static char fold(char c, boolean ignoreCase) {
        if (!ignoreCase) {
            return c;
        }
        return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c == 'ſ' ? 's' : c; // U+017F folds to s
    }
}
