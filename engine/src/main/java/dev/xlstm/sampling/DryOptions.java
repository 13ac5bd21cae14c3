package dev.xlstm.sampling;

import java.util.Set;

/**
 * "Don't repeat yourself": an id that would continue a repeated passage loses
 * {@code multiplier * base^(length of the passage - allowedLength)}.
 *
 * @param multiplier scales the penalty; 0 for none
 * @param base growth for each further id of the passage; at least 1
 * @param allowedLength shorter passages may be repeated freely; at least 1
 * @param lastN how many ids are searched for the passage, prompt included; 0 for none
 * @param breakers ids that no passage runs across: ends of lines, quotes and the like
 */
public record DryOptions(float multiplier, float base, int allowedLength, int lastN, Set<Integer> breakers) {

    /** No penalty. */
    public static final DryOptions OFF = new DryOptions(0, 1.75f, 2, 1024, Set.of());

    public DryOptions {
        SamplingOptions.check(
                multiplier >= 0 && multiplier < Float.POSITIVE_INFINITY, "DRY multiplier", "at least 0", multiplier);
        SamplingOptions.check(base >= 1 && base < Float.POSITIVE_INFINITY, "DRY base", "at least 1", base);
        SamplingOptions.check(allowedLength >= 1, "DRY allowed length", "at least 1", allowedLength);
        SamplingOptions.check(lastN >= 0 && lastN <= MAX_LAST_N, "DRY last-n", "between 0 and " + MAX_LAST_N, lastN);
        breakers = Set.copyOf(breakers);
    }

    /** The window is searched for every id: more would slow each of them down. */
    public static final int MAX_LAST_N = 65_536;

    boolean isOn() {
        return multiplier > 0 && lastN > 0;
    }
}
