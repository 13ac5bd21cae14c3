package dev.xlstm.tokenizer;

/** A hand-written matcher of the words of Llama-3 and, with single digits, of Qwen2. Matches tile the text. */
final class Llama3Pattern implements SplitPattern {
    private static final String WORDS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
    private static final String SYMBOLS_AND_SPACE = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    static final String LLAMA3_REGEX = WORDS + "\\p{N}{1,3}" + SYMBOLS_AND_SPACE;
    static final String QWEN2_REGEX = WORDS + "\\p{N}" + SYMBOLS_AND_SPACE;

    private final int maxDigits;

    Llama3Pattern(int maxDigits) {
        this.maxDigits = maxDigits;
    }

    @Override
    public long find(char[] text, int from, int to, boolean last) {
        int end = end(text, from, to, last);
        return end < 0 ? ~(long) from : SplitPattern.match(from, end);
    }

    private int end(char[] text, int from, int to, boolean last) {
        char c = text[from];
        if (c == '\'') {
            int contraction = Words.contraction(text, from, to, last, true);
            if (contraction != 0) {
                return contraction < 0 ? -1 : from + contraction;
            }
        }
        int kind = CharClass.at(text, from);
        if (kind == CharClass.NUMBER) {
            return digitsEnd(text, from, to, last);
        }
        int at = from;
        if (kind != CharClass.LETTER && c != '\r' && c != '\n') {
            at += CharClass.length(text, from); // one char of another kind may lead a word
            if (at == to && !last) {
                return -1;
            }
        }
        if (at < to && CharClass.at(text, at) == CharClass.LETTER) {
            int end = Words.runEnd(text, at, to, CharClass.LETTER);
            return end == to && !last ? -1 : end;
        }
        int symbols = c == ' ' ? from + 1 : from;
        if (symbols < to && CharClass.at(text, symbols) == CharClass.OTHER) {
            int end = Words.runEnd(text, symbols, to, CharClass.OTHER);
            while (end < to && isNewline(text[end])) {
                end++;
            }
            return end == to && !last ? -1 : end;
        }
        return spaceEnd(text, from, to, last);
    }

    private int digitsEnd(char[] text, int from, int to, boolean last) {
        int end = from;
        for (int digits = 0; digits < maxDigits; digits++) {
            if (end == to) {
                return last ? end : -1;
            }
            if (CharClass.at(text, end) != CharClass.NUMBER) {
                return end;
            }
            end += CharClass.length(text, end);
        }
        return end;
    }

    /** White space ends after its last newline; without one, as in GPT-2. */
    private static int spaceEnd(char[] text, int from, int to, boolean last) {
        int end = Words.runEnd(text, from, to, CharClass.SPACE);
        if (end == to && !last) {
            return -1;
        }
        for (int i = end; i > from; i--) {
            if (isNewline(text[i - 1])) {
                return i;
            }
        }
        return Words.spaceEnd(text, from, to, last);
    }

    private static boolean isNewline(char c) {
        return c == '\r' || c == '\n';
    }
}
