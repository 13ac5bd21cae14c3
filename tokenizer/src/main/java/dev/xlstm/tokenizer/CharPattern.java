package dev.xlstm.tokenizer;

import java.util.function.IntPredicate;

/** Each character of a class is a match: the pre-tokenisers Digits, Punctuation and WhitespaceSplit. */
record CharPattern(IntPredicate isMatch) implements SplitPattern {
    @Override
    public long find(char[] text, int from, int to, boolean last) {
        for (int i = from; i < to; i += CharClass.length(text, i)) {
            if (isMatch.test(Character.codePointAt(text, i, to))) {
                return SplitPattern.match(i, i + CharClass.length(text, i));
            }
        }
        return ~(long) to;
    }
}
