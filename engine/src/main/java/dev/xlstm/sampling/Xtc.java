package dev.xlstm.sampling;

/**
 * With a set probability removes all ids at least as probable as the threshold but the least probable of them (Philipp
 * Emanuel Weidmann, "Exclude Top Choices", text-generation-webui, 2024).
 */
record Xtc(double probability, double threshold, SplitMix64 random) implements SamplingStep {

    /** Above a threshold of 0.5 there are never two likely ids. */
    static boolean isOn(SamplingOptions options) {
        return options.get(SamplingParameter.XTC_PROBABILITY) > 0
                && options.get(SamplingParameter.XTC_THRESHOLD) <= 0.5;
    }

    @Override
    public void apply(Candidates candidates) {
        if (random.nextDouble() >= probability) {
            return;
        }
        double least = threshold * candidates.totalWeight();
        int likely = 0;
        while (likely < candidates.size() && candidates.weightAt(likely) >= least) {
            likely++;
        }
        if (likely > 1) {
            candidates.dropBest(likely - 1);
        }
    }
}
