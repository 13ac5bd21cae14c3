package dev.xlstm.tokenizer;

/** Replaces each match of a pattern by a text. */
final class ReplaceStage implements Stage {
    private final SplitPattern pattern;
    private final char[] content;
    private final Stage next;
    private final TextBuffer text = new TextBuffer();

    ReplaceStage(SplitPattern pattern, String content, Stage next) {
        this.pattern = pattern.forOneEncoder();
        this.content = content.toCharArray();
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        text.append(chars, from, to);
        text.drop(replace(false));
    }

    @Override
    public void end() {
        text.drop(replace(true));
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }

    /** Passes on what is decided; returns where the rest begins. */
    private int replace(boolean last) {
        int from = 0;
        while (from < text.length) {
            boolean full = last || text.length - from > TokenizerLimits.PIECE_CHARS;
            long found = pattern.find(text.chars, from, text.length, full);
            if (found < 0) {
                int certain = (int) ~found;
                pass(from, certain);
                return certain;
            }
            int start = (int) (found >>> 32);
            int end = (int) found;
            pass(from, start);
            next.text(content, 0, content.length);
            if (start == end) { // an empty match: go on after the next character
                end = Math.min(text.length, end + (end < text.length ? CharClass.length(text.chars, end) : 0));
                pass(start, end);
            }
            from = end;
        }
        return from;
    }

    private void pass(int from, int to) {
        if (from < to) {
            next.text(text.chars, from, to);
        }
    }
}
