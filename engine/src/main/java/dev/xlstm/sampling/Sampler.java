package dev.xlstm.sampling;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.grammar.GrammarMask;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Chooses ids for one sequence: a chain of steps, then a seeded draw. Steps whose options leave them without effect are
 * not in the chain. Allocates nothing after construction. Not thread-safe.
 */
public final class Sampler {

    private final Candidates candidates;
    private final SamplingStep[] steps;
    private final boolean greedy;
    private final int reach;
    private final SplitMix64 random;

    /**
     * @param vocabSize V, the length of the logits
     * @throws BadRequestException if a logit bias is for an id outside the vocabulary
     */
    public Sampler(SamplingOptions options, int vocabSize) {
        candidates = new Candidates(vocabSize);
        greedy = options.temperature() == 0;
        random = new SplitMix64(options.seed());
        steps = chain(options, vocabSize, random).toArray(SamplingStep[]::new);
        if (steps.length > 0) {
            reach = steps[0] instanceof TopK top ? Math.min(top.k(), vocabSize) : vocabSize;
        } else {
            reach = greedy ? 1 : vocabSize;
        }
    }

    /** The declared order; see {@link SamplingOptions}. */
    private static List<SamplingStep> chain(SamplingOptions options, int vocabSize, SplitMix64 random) {
        List<SamplingStep> chain = new ArrayList<>();
        if (!options.logitBias().isEmpty()) {
            chain.add(new LogitBias(options.logitBias(), vocabSize));
        }
        boolean greedy = options.temperature() == 0;
        boolean mirostat = options.mirostat().isOn() && !greedy;
        for (StepName name : options.order()) {
            // the most likely id is the same after every step that looks at ranks, and mirostat replaces most of them
            boolean wanted = name.looksAtIds() || !greedy && (!mirostat || name == StepName.TEMPERATURE);
            if (wanted) {
                add(chain, name, options, vocabSize, random);
            }
        }
        if (mirostat) {
            chain.add(new Mirostat(options.mirostat()));
        }
        return chain;
    }

    private static void add(
            List<SamplingStep> chain, StepName name, SamplingOptions options, int vocabSize, SplitMix64 random) {
        switch (name) {
            case PENALTIES -> {
                if (options.penalises()) {
                    chain.add(new Penalties(options, vocabSize));
                }
            }
            case DRY -> {
                if (options.dry().isOn()) {
                    chain.add(new Dry(options.dry(), vocabSize));
                }
            }
            case TOP_K -> {
                if (options.topK() > 0) {
                    chain.add(new TopK(options.topK()));
                }
            }
            case TOP_P -> {
                if (options.topP() < 1) {
                    chain.add(new TopP(options.topP()));
                }
            }
            case MIN_P -> {
                if (options.minP() > 0) {
                    chain.add(new MinP(options.minP()));
                }
            }
            case XTC -> {
                if (options.xtc().isOn()) {
                    chain.add(new Xtc(options.xtc(), random));
                }
            }
            case TEMPERATURE -> {
                if (options.temperature() != 1) {
                    chain.add(new Temperature(options.temperature()));
                }
            }
        }
    }

    /**
     * Chooses the next id. Whoever goes on with it, or with another, says so with {@link #accept}.
     *
     * @param logits [V]; not changed
     * @throws IllegalStateException if a logit is NaN or infinite
     * @throws BadRequestException if the steps ruled out every id
     */
    public int next(float[] logits) {
        return next(logits, null);
    }

    /**
     * Chooses the next id among those that a grammar allows.
     *
     * @param logits [V]; not changed
     * @param grammar null for none
     * @throws IllegalStateException if a logit is NaN or infinite
     * @throws BadRequestException if grammar and biases ruled out every id
     */
    public int next(float[] logits, GrammarMask grammar) {
        candidates.load(logits);
        if (grammar != null) {
            candidates.keepAllowed(grammar);
        }
        return choose();
    }

    /** How many of the largest logits the next id depends on where there is no grammar; V if on all. */
    public int reach() {
        return reach;
    }

    /**
     * Chooses the id that {@link #next(float[])} would choose.
     *
     * @param ids of the {@link #reach()} largest logits, the largest first, of equal ones the lower id
     * @param logits of these ids
     */
    public int next(int[] ids, float[] logits) {
        candidates.load(ids, logits);
        return choose();
    }

    private int choose() {
        for (SamplingStep step : steps) {
            step.apply(candidates);
        }
        int best = candidates.best();
        if (!(candidates.logitIn(best) > Float.NEGATIVE_INFINITY)) { // nor NaN, from comparing infinities
            throw new BadRequestException("no id is left to choose from: logit biases and the grammar rule out all");
        }
        if (greedy) {
            return candidates.idIn(best);
        }
        int place = candidates.draw(random.nextDouble());
        for (SamplingStep step : steps) {
            step.drawn(candidates.logitIn(place));
        }
        return candidates.idIn(place);
    }

    /** Takes note of an id of the sequence, prompt or generated: penalties and DRY look back on it. */
    public void accept(int id) {
        for (SamplingStep step : steps) {
            step.accept(id);
        }
    }

    /**
     * All that the next ids depend on besides options and logits: the generator, the windows of recent ids, mirostat's
     * mu. Short keys and printable values, to be kept in a file's metadata.
     */
    public Map<String, String> save() {
        Map<String, String> state = new LinkedHashMap<>();
        state.put("random", Long.toString(random.state()));
        for (SamplingStep step : steps) {
            step.save(state);
        }
        return state;
    }

    /**
     * Takes up what {@link #save} wrote: with the same options this sampler goes on as that one would have. Keys of steps
     * that are not in this chain are ignored, steps without a key start afresh.
     *
     * @throws IllegalArgumentException naming the key whose value is damaged; the sampler is then not to be used
     */
    public void restore(Map<String, String> saved) {
        SavedSampler state = new SavedSampler(saved, candidates.vocabSize());
        state.integer("random").ifPresent(random::restore);
        for (SamplingStep step : steps) {
            step.restore(state);
        }
    }
}
