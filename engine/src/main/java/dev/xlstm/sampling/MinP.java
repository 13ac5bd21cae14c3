package dev.xlstm.sampling;

/**
 * Keeps the ids at least {@code p} times as likely as the most likely one (Nguyen et al., "Turning up the heat: min-p
 * sampling", 2024).
 */
record MinP(float p) implements SamplingStep {

    @Override
    public void apply(Candidates candidates) {
        int count = 1;
        while (count < candidates.size() && candidates.weightAt(count) >= p) {
            count++;
        }
        candidates.keep(count);
    }
}
