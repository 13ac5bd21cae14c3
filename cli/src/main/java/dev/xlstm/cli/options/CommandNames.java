package dev.xlstm.cli.options;

import java.util.ArrayList;
import java.util.List;

/** The names of the commands, in the order of the help; also completes them. */
public final class CommandNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    public static final List<String> ALL = List.of(
            "generate",
            "chat",
            "sessions",
            "prime",
            "score",
            "tokenize",
            "pull",
            "models",
            "inspect",
            "devices",
            "quantize",
            "bench",
            "batch",
            "config",
            "completion",
            "man");

    /** For picocli. */
    public CommandNames() {
        super(ALL);
    }
}
