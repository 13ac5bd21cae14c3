package dev.xlstm.jinja;

/** What a template may ask for. The longest real ones take some thousand steps. */
final class JinjaLimits {

    /** Of its text. */
    static final int SOURCE_CHARS = 1 << 20;

    /** Statements within statements, operators within operators, brackets within brackets, lists within lists. */
    static final int NESTING = 100;

    /** Statements and operators that one rendering may run. */
    static final long STEPS = 3_000_000;

    /** Of all strings and lists that one rendering makes on the way. */
    static final long CHARS = 1L << 27;

    /** Macros that call each other. */
    static final int CALLS = 200;

    /** Numbers in one range(). */
    static final long RANGE = 100_000;

    private JinjaLimits() {}
}
