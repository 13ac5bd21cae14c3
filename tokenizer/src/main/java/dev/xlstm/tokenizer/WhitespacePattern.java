package dev.xlstm.tokenizer;

/** Matches runs of word characters and runs of other characters that are not white space: the Whitespace pre-tokeniser. */
final class WhitespacePattern implements SplitPattern {
    private static final int SPACE = 0;
    private static final int WORD = 1;
    private static final int OTHER = 2;

    @Override
    public long find(char[] text, int from, int to, boolean last) {
        int start = from;
        while (start < to && kind(text, start, to) == SPACE) {
            start++;
        }
        if (start == to) {
            return ~(long) to;
        }
        int kind = kind(text, start, to);
        int end = start;
        while (end < to && kind(text, end, to) == kind) {
            end += CharClass.length(text, end);
        }
        return end == to && !last ? ~(long) start : SplitPattern.match(start, end);
    }

    private static int kind(char[] text, int at, int to) {
        int codePoint = Character.codePointAt(text, at, to);
        return CharClass.isWord(codePoint) ? WORD : CharClass.isSpace(text[at]) ? SPACE : OTHER;
    }
}
