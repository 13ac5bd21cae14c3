package dev.xlstm.grammar;

/** Limits on untrusted grammars and schemas. Real ones stay far below them. */
final class GrammarLimits {

    /** Length of a grammar's or schema's text, in chars. */
    static final int SOURCE = 1 << 19;

    static final int RULES = 50_000;

    /** Nesting depth of groups in a grammar, and of schemas in a schema. */
    static final int NESTING = 200;

    /** JSON values visited or copied while {@code $ref} and {@code allOf} are merged. */
    static final int SCHEMA_STEPS = 1_000_000;

    /** Repetition counts in braces; also the longest string or array generated for a schema. */
    static final int REPETITIONS = 10_000;

    /** Largest multipleOf, without its powers of ten; each remainder takes up to 15 rules. */
    static final int DIVISOR = 128;

    /** Combinations of patternProperties that one name may match. */
    static final int NAME_KINDS = 32;

    /** Values that unique items may have in any order; more are generated in the order listed. */
    static final int PERMUTED = 6;

    /** States of the automaton. */
    static final int STATES = 1 << 19;

    /** Rule nesting in generated text. JSON parsers accept 500 levels and more. */
    static final int STACK_DEPTH = 400;

    /** Stack tops in one {@link StackSet}: a measure of how ambiguous a text is. */
    static final int POSITIONS = 10_000;

    /** Automaton steps to compute one token mask; takes about a second. */
    static final int MASK_STEPS = 1 << 25;

    /** Shortest endings up to this many bytes are counted in tokens; longer ones in bytes, an upper bound. */
    static final int SPELLED = 1024;

    /** Size of the cache of positions, in units of about 16 bytes. */
    static final int CACHE = 3 << 20;

    private GrammarLimits() {}

    static void checkSource(String what, String text) {
        if (text.length() > SOURCE) {
            throw new GrammarException(
                    what + " of " + text.length() + " characters; the limit is " + SOURCE + ": make it smaller");
        }
    }
}
