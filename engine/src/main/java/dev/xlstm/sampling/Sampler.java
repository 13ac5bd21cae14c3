package dev.xlstm.sampling;

import java.util.ArrayList;
import java.util.List;

/**
 * Chooses ids for one sequence: a chain of steps, then a seeded draw. Steps whose options leave them without effect are
 * not in the chain. Allocates nothing after construction. Not thread-safe.
 */
public final class Sampler {

    private final Candidates candidates;
    private final SamplingStep[] steps;
    private final boolean greedy;
    private final SplitMix64 random;

    /**
     * @param vocabSize V, the length of the logits
     */
    public Sampler(SamplingOptions options, int vocabSize) {
        candidates = new Candidates(vocabSize);
        greedy = options.temperature() == 0;
        random = new SplitMix64(options.seed());
        steps = chain(options, vocabSize).toArray(SamplingStep[]::new);
    }

    /** The declared order; see {@link SamplingOptions}. */
    private static List<SamplingStep> chain(SamplingOptions options, int vocabSize) {
        List<SamplingStep> chain = new ArrayList<>();
        if (options.penalises()) {
            chain.add(new Penalties(options, vocabSize));
        }
        if (options.temperature() == 0) {
            return chain; // the most likely id survives every step below
        }
        if (options.topK() > 0) {
            chain.add(new TopK(options.topK()));
        }
        if (options.topP() < 1) {
            chain.add(new TopP(options.topP()));
        }
        if (options.minP() > 0) {
            chain.add(new MinP(options.minP()));
        }
        if (options.temperature() != 1) {
            chain.add(new Temperature(options.temperature()));
        }
        return chain;
    }

    /**
     * Chooses the next id. Whoever goes on with it, or with another, says so with {@link #accept}.
     *
     * @param logits [V]; not changed
     * @throws IllegalStateException if a logit is NaN or infinite
     */
    public int next(float[] logits) {
        candidates.load(logits);
        for (SamplingStep step : steps) {
            step.apply(candidates);
        }
        return greedy ? candidates.idAt(0) : candidates.draw(random.nextDouble());
    }

    /** Takes note of an id of the sequence, prompt or generated: the penalties count it. */
    public void accept(int id) {
        for (SamplingStep step : steps) {
            step.accept(id);
        }
    }
}
