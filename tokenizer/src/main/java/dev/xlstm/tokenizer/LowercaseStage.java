package dev.xlstm.tokenizer;

/** Makes each character lower-case by itself, without regard to its neighbours, as Hugging Face tokenizers do. */
final class LowercaseStage implements Stage {
    private static final int CAPITAL_I_WITH_DOT = 0x130; // the one character whose lower case is two: i and a dot above

    private final Stage next;
    private final TextBuffer lower = new TextBuffer();

    LowercaseStage(Stage next) {
        this.next = next;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        lower.length = 0;
        for (int i = from; i < to; i += CharClass.length(chars, i)) {
            int codePoint = Character.codePointAt(chars, i, to);
            char[] mapped = codePoint == CAPITAL_I_WITH_DOT
                    ? new char[] {'i', '\u0307'}
                    : Character.toChars(Character.toLowerCase(codePoint));
            lower.append(mapped, 0, mapped.length);
        }
        next.text(lower.chars, 0, lower.length);
    }

    @Override
    public void end() {
        next.end();
    }

    @Override
    public void token(int id) {
        next.token(id);
    }
}
