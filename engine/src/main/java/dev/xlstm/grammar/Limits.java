package dev.xlstm.grammar;

/** Bounds on grammars and schemas, which may come from strangers. Real ones are far below. */
final class Limits {

    /** Chars of a grammar's or schema's text. */
    static final int SOURCE = 1 << 19;

    static final int RULES = 50_000;

    /** Groups within groups, schemas within schemas. */
    static final int NESTING = 200;

    /** Values of a schema that are looked at or copied while its parts are put together. */
    static final int SCHEMA_STEPS = 1_000_000;

    /** The numbers in braces; also the longest string or array that a schema gives. */
    static final int REPETITIONS = 10_000;

    /** States of the automaton. */
    static final int STATES = 1 << 19;

    /** Rules within rules while text is matched: deeper nesting is never generated. JSON parsers allow 500 and more. */
    static final int STACK_DEPTH = 400;

    /** Places of the grammar that one text may be at, all at the same time. */
    static final int POSITIONS = 10_000;

    /** Places arrived at while the tokens that may follow are found, a second's work or so. */
    static final int MASK_STEPS = 1 << 25;

    /** Bytes of the shortest ending whose tokens are counted; of longer ones the bytes are. */
    static final int SPELLED = 1024;

    /** What is remembered of a grammar between tokens, in words of about 16 bytes. */
    static final int CACHE = 3 << 20;

    private Limits() {}

    static void checkSource(String what, String text) {
        if (text.length() > SOURCE) {
            throw new GrammarException(
                    what + " of " + text.length() + " characters; the limit is " + SOURCE + ": make it smaller");
        }
    }
}
