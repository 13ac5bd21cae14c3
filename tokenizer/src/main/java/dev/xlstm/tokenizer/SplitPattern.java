package dev.xlstm.tokenizer;

/** The pattern of a pre-tokeniser that splits. */
interface SplitPattern {
    /**
     * Finds the first match in {@code text[from, to)}; text before {@code from} does not count. With {@code last} the text
     * ends at {@code to}, else more may follow.
     *
     * @return start {@code << 32 |} end of the match; or, below zero, {@code ~p}: no match begins before p (which is
     *     {@code to} if {@code last}), and what follows p is undecided
     */
    long find(char[] text, int from, int to, boolean last);

    /** A pattern for one encoder, used by one thread. */
    default SplitPattern forOneEncoder() {
        return this;
    }

    static long match(int start, int end) {
        return (long) start << 32 | end;
    }
}
