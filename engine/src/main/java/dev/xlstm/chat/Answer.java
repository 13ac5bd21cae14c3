package dev.xlstm.chat;

import dev.xlstm.generation.FinishReason;

/**
 * What the model wrote.
 *
 * @param ids those fed for the text
 * @param decoded whether they were fed one by one, with logits in between, as when the model generates them. If not, they
 *     were fed at once, which can differ in the last bits of the state
 * @param ending why the answer ended: eos, stop, length, interrupted
 */
public record Answer(String text, int[] ids, boolean decoded, String ending) {

    /** For a question that has not been answered. */
    static final Answer NONE = new Answer("", new int[0], true, FinishReason.INTERRUPTED.toString());

    /** Whether the model came to the end of its turn. */
    boolean isComplete() {
        return ending.equals(FinishReason.EOS.toString()) || ending.equals(FinishReason.STOP.toString());
    }
}
