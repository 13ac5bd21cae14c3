package dev.xlstm.sampling;

/**
 * Keeps the fewest most likely ids whose probabilities sum to at least p (Holtzman et al., "The curious case of neural
 * text degeneration", 2020).
 */
record TopP(float p) implements SamplingStep {

    @Override
    public void apply(Candidates candidates) {
        double wanted = p * candidates.totalWeight();
        double sum = 0;
        int count = 0;
        while (sum < wanted && count < candidates.size()) {
            sum += candidates.weightAt(count);
            count++;
        }
        candidates.keep(count);
    }
}
