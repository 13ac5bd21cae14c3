package dev.xlstm.sampling;

/** Divides the logits: below 1 sharpens, above 1 flattens. */
record Temperature(float temperature) implements SamplingStep {

    @Override
    public void apply(Candidates candidates) {
        candidates.divide(temperature);
    }
}
