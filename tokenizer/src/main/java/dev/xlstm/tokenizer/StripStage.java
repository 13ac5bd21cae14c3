package dev.xlstm.tokenizer;

/** Takes white space from the ends of a stretch: the Strip normaliser. Holds back white space that may be at the end. */
final class StripStage implements Stage {
    private final boolean left;
    private final boolean right;
    private final Stage next;
    private final TextBuffer spaces = new TextBuffer();
    private boolean begun;

    StripStage(boolean left, boolean right, Stage next) {
        this.left = left;
        this.right = right;
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        int start = from;
        while (left && !begun && start < to && CharClass.isSpace(chars[start])) {
            start++;
        }
        begun |= start < to;
        int end = to;
        while (right && end > start && CharClass.isSpace(chars[end - 1])) {
            end--;
        }
        if (start < end) {
            passSpaces();
            next.text(chars, start, end);
        }
        spaces.append(chars, end, to);
        if (spaces.length > TokenizerLimits.PIECE_CHARS) {
            passSpaces();
        }
    }

    private void passSpaces() {
        if (spaces.length > 0) {
            next.text(spaces.chars, 0, spaces.length);
            spaces.length = 0;
        }
    }

    @Override
    public void end() {
        spaces.length = 0;
        begun = false;
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }
}
