package dev.xlstm.generation;

import dev.xlstm.backend.SharedModel;

/**
 * Generates several texts at once, each on a thread of its own: the model computes one pass for all of them, see
 * {@link SharedModel}. A thread is a member from {@link #join} until it closes what that returned. Every pass waits for all
 * members, so a member should do nothing slow in between.
 */
public final class TextBatch {

    private final TextModel model;
    private final SharedModel shared;

    /** While there are members, do not use the model in any other way. */
    public TextBatch(TextModel model) {
        this.model = model;
        shared = new SharedModel(model.loaded());
    }

    /** The model for one more thread; close it to leave the batch. */
    public TextModel join() {
        return model.member(shared.join());
    }
}
