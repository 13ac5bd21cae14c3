package dev.xlstm.sampling;

import dev.xlstm.error.BadRequestException;
import java.util.Locale;

/**
 * The numbers that steer sampling: one entry each. Flags, configuration keys, JSON fields, help and the tables of the
 * documents are made from these entries, so a new parameter is an entry here and the code that uses it.
 */
public enum SamplingParameter {
    TEMPERATURE(Range.atLeast(0), 0.8, "T", "Below 1 safer, above 1 wilder; 0 always takes the likeliest token"),
    TOP_K(Range.whole(0, Integer.MAX_VALUE), 40, "K", "Choose among the K likeliest tokens; 0 for all"),
    TOP_P(
            Range.aboveUpTo(0, 1),
            0.95,
            "P",
            "Choose among the likeliest tokens that together reach probability P; 1 for all"),
    MIN_P(Range.between(0, 1), 0.05, "P", "Leave out tokens less than P times as likely as the likeliest; 0 for none"),
    REPETITION_PENALTY(
            Range.above(0), 1, "X", "Divide the logits of recent tokens by X (multiply negative ones); 1 for none"),
    PRESENCE_PENALTY(Range.FINITE, 0, "X", "Subtract X from the logit of every recent token"),
    FREQUENCY_PENALTY(Range.FINITE, 0, "X", "Subtract X for each time a recent token occurred"),
    REPEAT_LAST_N(
            Range.whole(-1, 1 << 20), // -1 serves longer windows, and needs none
            64,
            "N",
            "How many tokens are recent, prompt included; 0 for none, -1 for all, 8192 of the prompt's at most"),
    DRY_MULTIPLIER(
            Range.atLeast(0),
            0,
            "X",
            "DRY: a token that would go on repeating a passage loses X * base^(length of the passage - allowed"
                    + " length); 0 for none"),
    DRY_BASE(Range.atLeast(1), 1.75, "X", "Growth of the DRY penalty"),
    DRY_ALLOWED_LENGTH(Range.whole(1, Integer.MAX_VALUE), 2, "N", "Passages shorter than N tokens may be repeated"),
    DRY_LAST_N(
            Range.whole(0, 65_536), // the window is searched for every token
            1024,
            "N",
            "How many tokens DRY looks back; 0 for none"),
    XTC_PROBABILITY(
            Range.between(0, 1),
            0,
            "P",
            "XTC: with probability P leave out all likely tokens but the least likely of them"),
    XTC_THRESHOLD(Range.between(0, 1), 0.1, "P", "Tokens at least this probable are likely ones"),
    MIROSTAT_TAU(
            Range.atLeast(0),
            0,
            "BITS",
            "Mirostat 2: keep the surprise of the text near BITS a token, instead of top-k, top-p, min-p and XTC; 0"
                    + " for no mirostat"),
    MIROSTAT_ETA(Range.between(0, 1), 0.1, "X", "How fast mirostat learns");

    private final Range range;
    private final double defaultValue;
    private final String label;
    private final String help;

    SamplingParameter(Range range, double defaultValue, String label, String help) {
        this.range = range;
        this.defaultValue = round(range, defaultValue);
        this.label = label;
        this.help = help;
    }

    /** The name of its flag and configuration key: {@code top-k}. */
    public String flag() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The name of its JSON field: {@code top_k}. */
    public String jsonName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether it takes whole numbers only; the others are float32. */
    public boolean isWhole() {
        return range.whole();
    }

    public double defaultValue() {
        return defaultValue;
    }

    /** What stands for the value in help: {@code K}. */
    public String label() {
        return label;
    }

    /** One sentence, without a full stop. */
    public String help() {
        return help;
    }

    /** A value as people write it: {@code 40}, {@code 0.95}. */
    public String format(double value) {
        if (isWhole() || value == Math.rint(value) && Math.abs(value) < 1e6) {
            return Long.toString((long) value);
        }
        return Float.toString((float) value);
    }

    /**
     * The value as it is used.
     *
     * @throws BadRequestException naming the parameter and its range if the value is outside
     */
    double checked(double value) {
        double rounded = round(range, value);
        if (!range.contains(rounded)) {
            throw new BadRequestException(flag() + " must be " + range + ", not " + shown(value));
        }
        return rounded;
    }

    private String shown(double value) {
        return isWhole() && value == Math.rint(value) ? format(value) : Float.toString((float) value);
    }

    private static double round(Range range, double value) {
        return range.whole() ? value : (float) value;
    }

    /**
     * The values that a parameter takes.
     *
     * @param least smallest value, itself included unless {@code open}
     * @param most largest value, included; infinity for no bound
     */
    private record Range(double least, double most, boolean open, boolean whole) {

        static final Range FINITE = new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, false, false);

        static Range atLeast(double least) {
            return new Range(least, Double.POSITIVE_INFINITY, false, false);
        }

        static Range above(double least) {
            return new Range(least, Double.POSITIVE_INFINITY, true, false);
        }

        static Range aboveUpTo(double least, double most) {
            return new Range(least, most, true, false);
        }

        static Range between(double least, double most) {
            return new Range(least, most, false, false);
        }

        static Range whole(int least, int most) {
            return new Range(least, most, false, true);
        }

        boolean contains(double value) {
            return Double.isFinite(value)
                    && (open ? value > least : value >= least)
                    && value <= most
                    && (!whole || value == Math.rint(value));
        }

        @Override
        public String toString() {
            boolean bounded = most < (whole ? Integer.MAX_VALUE : Double.POSITIVE_INFINITY);
            if (least == Double.NEGATIVE_INFINITY) {
                return "finite";
            }
            if (!bounded) {
                return (open ? "above " : "at least ") + (long) least;
            }
            return open
                    ? "above " + (long) least + " and at most " + (long) most
                    : "between " + (long) least + " and " + (long) most;
        }
    }
}
