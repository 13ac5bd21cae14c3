package dev.xlstm.cli.console;

/** Limits of what the command line reads and prints at once. Prompts have none: they are read in pieces. */
public final class CliLimits {

    /** The length of a line of a batch. */
    public static final int LINE_CHARS = 1 << 24;

    /** The size of a grammar or schema file; its content has limits of its own. */
    public static final int GRAMMAR_BYTES = 1 << 21;

    /** The size of config.properties. */
    public static final int CONFIG_BYTES = 1 << 16;

    /** The length of a message. */
    static final int MESSAGE_CHARS = 2000;

    private CliLimits() {}
}
