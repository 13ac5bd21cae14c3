package dev.xlstm.generation;

import java.util.Arrays;
import java.util.function.Supplier;

/** Keeps the ids and the text of a generation. */
public class CollectingListener implements GenerationListener {

    private final StringBuilder text = new StringBuilder();
    private int[] ids = new int[64];
    private int count;

    @Override
    public void token(int id, String piece, Supplier<float[]> logits) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = id;
        text(piece);
    }

    @Override
    public void text(String piece) {
        text.append(piece);
    }

    /** The tokens so far. */
    public final int[] ids() {
        return Arrays.copyOf(ids, count);
    }

    /** The text so far; empty for a model without a tokenizer. */
    public final String text() {
        return text.toString();
    }
}
