package dev.xlstm.sampling;

/**
 * "Exclude top choices": now and then only the least likely of the likely ids stays.
 *
 * @param probability that it happens to an id; 0 for never
 * @param threshold ids at least this probable are the likely ones; above 0.5 there are never two of them
 */
public record XtcOptions(float probability, float threshold) {

    /** Never. */
    public static final XtcOptions OFF = new XtcOptions(0, 0.1f);

    public XtcOptions {
        SamplingOptions.check(probability >= 0 && probability <= 1, "XTC probability", "between 0 and 1", probability);
        SamplingOptions.check(threshold >= 0 && threshold <= 1, "XTC threshold", "between 0 and 1", threshold);
    }

    boolean isOn() {
        return probability > 0 && threshold <= 0.5f;
    }
}
