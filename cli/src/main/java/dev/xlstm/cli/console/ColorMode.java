package dev.xlstm.cli.console;

import java.util.Locale;
import java.util.Map;

/** The values of {@code --color}. */
public enum ColorMode {
    AUTO,
    ALWAYS,
    NEVER;

    /** Whether to colour a stream. With {@link #AUTO}, NO_COLOR and TERM=dumb switch colours off. */
    public boolean decide(boolean terminal, Map<String, String> environment) {
        boolean unwanted = !environment.getOrDefault("NO_COLOR", "").isEmpty()
                || environment.getOrDefault("TERM", "").equals("dumb");
        return this == ALWAYS || this == AUTO && terminal && !unwanted;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
