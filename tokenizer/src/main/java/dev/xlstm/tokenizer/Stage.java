package dev.xlstm.tokenizer;

/**
 * One step from text to ids. A stretch of text arrives in any number of parts and is closed by {@link #end}; text after the
 * end does not affect it. A stage passes text on as soon as later text of the stretch cannot change it, and gives the same
 * result however the text is cut into parts. A surrogate pair is always within one part.
 */
interface Stage {
    /** More of the stretch: {@code chars[from, to)}, to be copied if it is needed later. */
    void text(char[] chars, int from, int to);

    /** The stretch ends here, if one was begun. */
    void end();

    /** An added token, between two stretches. */
    void token(int id);
}
