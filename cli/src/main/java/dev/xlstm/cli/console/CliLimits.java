package dev.xlstm.cli.console;

/** How much the command line takes at once, and says at once. Prompts have no limit: they are read piece by piece. */
public final class CliLimits {

    /** Of one line of a batch. */
    public static final int LINE_CHARS = 1 << 24;

    /** Of a grammar's or schema's file; what may be in it is the grammar's to say. */
    public static final int GRAMMAR_BYTES = 1 << 21;

    /** Of the file of the user's defaults. */
    public static final int CONFIG_BYTES = 1 << 16;

    /** Of a message. */
    static final int MESSAGE_CHARS = 2000;

    private CliLimits() {}
}
