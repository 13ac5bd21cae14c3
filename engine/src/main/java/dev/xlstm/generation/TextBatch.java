package dev.xlstm.generation;

import dev.xlstm.backend.SharedModel;

/**
 * Several texts generated at once, each on a thread of its own: their passes are computed together, see
 * {@link SharedModel}. A thread takes part between {@link #join} and closing what it returns, and should do little else
 * meanwhile, as all wait for each.
 */
public final class TextBatch {

    private final TextModel model;
    private final SharedModel shared;

    /** The model must not be used otherwise as long as there are members. */
    public TextBatch(TextModel model) {
        this.model = model;
        shared = new SharedModel(model.loaded());
    }

    /** The model for one more thread; closing it leaves. */
    public TextModel join() {
        return model.member(shared.join());
    }
}
