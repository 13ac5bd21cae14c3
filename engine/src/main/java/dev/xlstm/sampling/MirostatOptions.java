package dev.xlstm.sampling;

/**
 * Mirostat version 2: keeps the surprise of the text near a target, instead of top-k, top-p, min-p and XTC.
 *
 * @param tau the target, in bits an id; 0 for no mirostat
 * @param eta learning rate: the share of the error that the next id makes up for
 */
public record MirostatOptions(float tau, float eta) {

    /** No mirostat. */
    public static final MirostatOptions OFF = new MirostatOptions(0, 0.1f);

    public MirostatOptions {
        SamplingOptions.check(tau >= 0 && tau < Float.POSITIVE_INFINITY, "mirostat tau", "at least 0", tau);
        SamplingOptions.check(eta >= 0 && eta <= 1, "mirostat eta", "between 0 and 1", eta);
    }

    boolean isOn() {
        return tau > 0;
    }
}
