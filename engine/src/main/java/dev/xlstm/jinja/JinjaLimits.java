package dev.xlstm.jinja;

/** Limits on untrusted templates. The longest real ones take some thousand steps. */
final class JinjaLimits {

    /** Length of a template, in chars. */
    static final int SOURCE_CHARS = 1 << 20;

    /** Nesting depth of statements, operators, brackets and values. */
    static final int NESTING = 100;

    /** Statements and operators executed by one rendering. */
    static final long STEPS = 3_000_000;

    /** Chars of all strings that one rendering builds; a list item counts as 16. */
    static final long CHARS = 1L << 27;

    /** Nesting depth of macro calls and recursive loops. */
    static final int CALLS = 200;

    /** Numbers in one range(), as in jinja2's sandbox. */
    static final long RANGE = 100_000;

    /** Size of an integer. */
    static final int INTEGER_BITS = 1 << 16;

    private JinjaLimits() {}
}
