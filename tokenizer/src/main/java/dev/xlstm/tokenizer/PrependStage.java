package dev.xlstm.tokenizer;

/** Puts a text before every stretch: a Prepend normaliser, and the leading space of ByteLevel and Metaspace. */
final class PrependStage implements Stage {
    /** Which stretches get the text. */
    enum When {
        ALWAYS,
        /** Unless the stretch begins with the text. */
        IF_MISSING,
        /** As IF_MISSING, but only at the beginning of a text. */
        FIRST_IF_MISSING
    }

    private final char[] prefix;
    private final When when;
    private final Stage next;
    private boolean begun; // the stretch has begun
    private boolean first = true; // at the beginning of the text

    PrependStage(String prefix, When when, Stage next) {
        this.prefix = prefix.toCharArray();
        this.when = when;
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        if (!begun && from < to) {
            begun = true;
            boolean missing = chars[from] != prefix[0]; // one char where it matters
            if (when == When.ALWAYS || missing && (when == When.IF_MISSING || first)) {
                next.text(prefix, 0, prefix.length);
            }
        }
        next.text(chars, from, to);
    }

    @Override
    public void end() {
        first = false; // also after an empty stretch, the rest of a leading delimiter that was removed
        begun = false;
        next.end();
    }

    @Override
    public void token(int id) {
        first = false;
        next.token(id);
    }
}
