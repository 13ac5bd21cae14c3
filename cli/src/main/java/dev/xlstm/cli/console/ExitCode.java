package dev.xlstm.cli.console;

/** The exit codes of the program. */
public final class ExitCode {

    public static final int OK = 0;
    public static final int FAILURE = 1;
    public static final int USAGE = 2;
    public static final int INTERRUPTED = 130; // 128 + SIGINT
    public static final int READER_GONE = 141; // 128 + SIGPIPE

    private ExitCode() {}
}
