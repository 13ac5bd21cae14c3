package dev.xlstm.tokenizer;

/**
 * One step from text to ids. A stretch of text arrives in any number of parts and is closed by {@link #end}; nothing
 * after the end can change what becomes of it. A stage passes on early whatever later text of the stretch cannot change,
 * and gives the same for any way of cutting the text into parts. Surrogates always come in pairs, within one part.
 */
interface Stage {
    /** More of the stretch: {@code chars[from, to)}, to be copied if it is needed later. */
    void text(char[] chars, int from, int to);

    /** The stretch ends here, if one was begun. */
    void end();

    /** An added token, between two stretches. */
    void token(int id);
}
