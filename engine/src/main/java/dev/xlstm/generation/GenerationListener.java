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
     * A token was chosen. A listener that does not override this gets the text of the token through {@link #text}.
     *
     * @param text what the token makes certain: whole characters, no part of a stop string. Often empty; always empty
     *     without a tokenizer
     * @param logits the token was chosen from, before any sampling: [V]. Ask for and read them during this call only, and
     *     only where needed: a device may have to send them
     */
    default void token(int id, String text, Supplier<float[]> logits) {
        if (!text.isEmpty()) {
            text(text);
        }
    }

    /** Text became certain without a new token: the rest at the end of a generation, or what was held back before it. */
    default void text(String piece) {}

    /** Asked before each chunk of the prompt and each token; true ends the generation. */
    default boolean cancelled() {
        return false;
    }
}
