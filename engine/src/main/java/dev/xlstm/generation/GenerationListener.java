package dev.xlstm.generation;

import java.util.function.Supplier;

/** Follows a generation while it runs, on the thread that runs it. */
public interface GenerationListener {

    /**
     * Part of the prompt has been read.
     *
     * @param done ids so far
     * @param total of all its ids; -1 while the prompt is still arriving
     */
    default void prefill(int done, int total) {}

    /**
     * A token was chosen.
     *
     * @param logits what it was chosen from, before any sampling: [V]. To be asked and read during this call only, and
     *     only where they are needed: a device may have to send them
     */
    default void token(int id, Supplier<float[]> logits) {}

    /**
     * More text is certain: whole characters, no part of a stop string. Comes after the token that made it so, and at the
     * end of the generation.
     */
    default void text(String piece) {}

    /** Asked before each chunk of the prompt and each token; true ends the generation. */
    default boolean cancelled() {
        return false;
    }
}
