package dev.xlstm.tokenizer;

/** A hand-written matcher of GPT-2's regular expression, that of ByteLevel. Matches tile the text; reads each char about once. */
final class Gpt2Pattern implements SplitPattern {
    static final String REGEX = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    @Override
    public long find(char[] text, int from, int to, boolean last) {
        int end = end(text, from, to, last);
        return end < 0 ? ~(long) from : SplitPattern.match(from, end);
    }

    private static int end(char[] text, int from, int to, boolean last) {
        if (text[from] == '\'') {
            int contraction = Words.contraction(text, from, to, last, false);
            if (contraction != 0) {
                return contraction < 0 ? -1 : from + contraction;
            }
        }
        int at = text[from] == ' ' ? from + 1 : from;
        int kind = at < to ? CharClass.at(text, at) : CharClass.SPACE;
        if (kind == CharClass.SPACE) {
            return Words.spaceEnd(text, from, to, last);
        }
        int end = Words.runEnd(text, at, to, kind);
        return end == to && !last ? -1 : end;
    }
}
