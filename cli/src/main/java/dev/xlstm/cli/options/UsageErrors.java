package dev.xlstm.cli.options;

import dev.xlstm.cli.console.SpellingSuggestion;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Turns invalid values of options into usage errors. */
public final class UsageErrors {

    private UsageErrors() {}

    /**
     * Computes a value from options.
     *
     * @throws ParameterException with the message of the IllegalArgumentException that {@code value} throws
     */
    public static <T> T checked(CommandSpec spec, Supplier<T> value) {
        return checked(spec, "", value);
    }

    /** The error of an argument that should name a command. */
    public static ParameterException unknownCommand(CommandSpec spec, String name) {
        String all = "there are " + String.join(", ", CommandNames.ALL);
        return new ParameterException(
                spec.commandLine(),
                "no command '" + name + "'; " + SpellingSuggestion.hint(name, CommandNames.ALL, all));
    }

    /**
     * As {@link #checked(CommandSpec, Supplier)}.
     *
     * @param source what the message begins with
     */
    public static <T> T checked(CommandSpec spec, String source, Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), source + e.getMessage(), e);
        }
    }
}
