package dev.xlstm.tokenizer;

/**
 * Ends a stretch before each word, where {@link Bpe#wordStart} begins one. No token spans such a place, so the ids are the
 * same; but text is passed on word by word instead of at its end, and words are found in the cache.
 */
final class WordStartStage implements Stage {
    private final char wordStart;
    private final Stage next;
    private char before; // 0 at the beginning of a stretch

    WordStartStage(char wordStart, Stage next) {
        this.wordStart = wordStart;
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        int start = from;
        for (int i = from; i < to; i++) {
            if (chars[i] == wordStart && before != wordStart && before != 0) {
                if (start < i) {
                    next.text(chars, start, i);
                }
                next.end();
                start = i;
            }
            before = chars[i];
        }
        if (start < to) {
            next.text(chars, start, to);
        }
    }

    @Override
    public void end() {
        before = 0;
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }
}
