package dev.xlstm.sampling;

/** Keeps the k most likely ids. */
record TopK(int k) implements SamplingStep {

    @Override
    public void apply(Candidates candidates) {
        candidates.keep(k);
    }
}
