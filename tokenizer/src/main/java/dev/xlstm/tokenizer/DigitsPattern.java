package dev.xlstm.tokenizer;

/** The Digits pre-tokeniser: each numeric character is a match. */
final class DigitsPattern implements SplitPattern {
    @Override
    public long find(char[] text, int from, int to, boolean last) {
        for (int i = from; i < to; i += CharClass.length(text, i)) {
            if (CharClass.at(text, i) == CharClass.NUMBER) {
                return SplitPattern.match(i, i + CharClass.length(text, i));
            }
        }
        return ~(long) to;
    }
}
