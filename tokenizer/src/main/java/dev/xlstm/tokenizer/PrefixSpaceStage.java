package dev.xlstm.tokenizer;

/** Puts a space before every stretch that does not begin with one: {@code add_prefix_space} of ByteLevel. */
final class PrefixSpaceStage implements Stage {
    private static final char[] SPACE = {' '};

    private final Stage next;
    private boolean begun;

    PrefixSpaceStage(Stage next) {
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        if (!begun && from < to) {
            begun = true;
            if (chars[from] != ' ') {
                next.text(SPACE, 0, 1);
            }
        }
        next.text(chars, from, to);
    }

    @Override
    public void end() {
        begun = false;
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }
}
