package dev.xlstm.generation;

import java.util.Locale;

/** Why a generation ended. */
public enum FinishReason {
    /** As many tokens as allowed. */
    LENGTH,
    /** A stop string or a stop id of the caller's, or the end of all that the grammar admits. */
    STOP,
    /** The model's own end of text. */
    EOS,
    /** The listener cancelled. */
    INTERRUPTED;

    /** Lower case, as JSON output has it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
