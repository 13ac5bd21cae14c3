package dev.xlstm.tokenizer;

/** A string as a Split pattern. */
final class LiteralPattern implements SplitPattern {
    private final char[] literal; // not empty

    LiteralPattern(String literal) {
        this.literal = literal.toCharArray();
    }

    @Override
    public long find(char[] text, int from, int to, boolean last) {
        for (int i = from; i < to; i++) {
            int same = 0;
            while (same < literal.length && i + same < to && text[i + same] == literal[same]) {
                same++;
            }
            if (same == literal.length) {
                return SplitPattern.match(i, i + same);
            }
            if (i + same == to && !last) {
                return ~(long) i;
            }
        }
        return ~(long) to;
    }
}
