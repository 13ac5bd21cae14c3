package dev.xlstm.sampling;

import java.util.Map;

/**
 * Mirostat version 2 (Basu et al., "Mirostat: a neural text decoding algorithm that directly controls perplexity", 2021,
 * algorithm 2). With S(x) = -log2 P(x), the surprise of an id: only ids with S at most mu stay, and after the draw of x
 * {@code mu -= eta * (S(x) - tau)}. P is the distribution before anything is removed, as in the authors' code.
 */
final class Mirostat implements SamplingStep {

    private static final double LN2 = Math.log(2);

    private final double tau; // the target, in bits
    private final double eta; // the share of the error that the next id makes up for
    private double mu;
    private double logTotal; // of the last distribution: S(x) = (logTotal - (logit - best)) / ln 2
    private float best;

    Mirostat(SamplingOptions options) {
        tau = options.get(SamplingParameter.MIROSTAT_TAU);
        eta = options.get(SamplingParameter.MIROSTAT_ETA);
        mu = 2.0 * tau;
    }

    @Override
    public void apply(Candidates candidates) {
        logTotal = Math.log(candidates.totalWeight());
        best = candidates.logitAt(0);
        int count = 1; // the most likely id stays, however surprising
        while (count < candidates.size() && surprise(candidates.logitAt(count)) <= mu) {
            count++;
        }
        candidates.keep(count);
    }

    private double surprise(float logit) {
        return (logTotal - (logit - best)) / LN2;
    }

    @Override
    public void drawn(float logit) {
        mu -= eta * (surprise(logit) - tau);
    }

    double mu() {
        return mu;
    }

    @Override
    public void copyFrom(SamplingStep other) {
        mu = ((Mirostat) other).mu;
    }

    @Override
    public void save(Map<String, String> state) {
        state.put("mirostat.mu", Double.toString(mu));
    }

    @Override
    public void restore(SavedSampler state) {
        mu = state.number("mirostat.mu").orElse(mu);
    }
}
