package dev.xlstm.sampling;

/**
 * Makes ids that occurred recently less likely. First the repetition penalty (Keskar et al., "CTRL", 2019, with the sign
 * rule in common use: positive logits are divided, negative ones multiplied), then
 * {@code logit -= presence + count * frequency}.
 */
final class Penalties implements SamplingStep {

    private final float repetition;
    private final float presence;
    private final float frequency;
    private final int[] counts; // [V], occurrences among the recent ids
    private final int[] recent; // ring of the last N ids; empty where all count
    private final boolean unbounded;
    private long accepted;

    Penalties(SamplingOptions options, int vocabSize) {
        repetition = options.repetitionPenalty();
        presence = options.presencePenalty();
        frequency = options.frequencyPenalty();
        counts = new int[vocabSize];
        unbounded = options.repeatLastN() < 0;
        recent = new int[unbounded ? 0 : options.repeatLastN()];
    }

    @Override
    public void apply(Candidates candidates) {
        for (int id = 0; id < counts.length; id++) {
            int count = counts[id];
            if (count > 0) {
                float logit = candidates.get(id);
                logit = logit > 0 ? logit / repetition : logit * repetition;
                candidates.set(id, logit - presence - count * frequency);
            }
        }
    }

    @Override
    public void accept(int id) {
        if (!unbounded) {
            int slot = (int) (accepted % recent.length);
            if (accepted >= recent.length) {
                counts[recent[slot]]--;
            }
            recent[slot] = id;
        }
        counts[id]++;
        accepted++;
    }
}
