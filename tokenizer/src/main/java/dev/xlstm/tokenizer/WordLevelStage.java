package dev.xlstm.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.BitSet;

/** The last stage of a WordLevel tokenizer: each stretch is one token of the vocabulary, or the unknown token. */
final class WordLevelStage implements Stage {
    private final Vocabulary vocabulary;
    private final int unknown; // -1 for none
    private final BitSet asText;
    private final IntList out;
    private final TextBuffer word = new TextBuffer();

    /** @param asText ids of added tokens that ordinary text must not become */
    WordLevelStage(Vocabulary vocabulary, int unknown, BitSet asText, IntList out) {
        this.vocabulary = vocabulary;
        this.unknown = unknown;
        this.asText = asText;
        this.out = out;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        if (word.length <= TokenizerLimits.TOKEN_CHARS) { // a longer word is unknown, whatever its end
            word.append(chars, from, to);
        }
    }

    @Override
    public void end() {
        if (word.length == 0) {
            return;
        }
        byte[] utf8 = new String(word.chars, 0, word.length).getBytes(StandardCharsets.UTF_8);
        int id = vocabulary.id(utf8, 0, utf8.length);
        word.length = 0;
        if (id < 0 || asText.get(id)) {
            id = unknown;
        }
        if (id >= 0) {
            out.add(id);
        }
    }

    @Override
    public void token(int id) {
        out.add(id);
    }
}
