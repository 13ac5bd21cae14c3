package dev.xlstm.sampling;

/**
 * With a set probability removes all ids at least as probable as the threshold but the least probable of them (Philipp
 * Emanuel Weidmann, "Exclude Top Choices", text-generation-webui, 2024).
 */
record Xtc(XtcOptions options, SplitMix64 random) implements SamplingStep {

    @Override
    public void apply(Candidates candidates) {
        if (random.nextDouble() >= options.probability()) {
            return;
        }
        double threshold = options.threshold() * candidates.totalWeight();
        int likely = 0;
        while (likely < candidates.size() && candidates.weightAt(likely) >= threshold) {
            likely++;
        }
        if (likely > 1) {
            candidates.dropBest(likely - 1);
        }
    }
}
