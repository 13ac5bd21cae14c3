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
 *
 * <p>To look ahead, {@link #copy} the sampler, and roll it back with {@link #copyFrom}.
 */
public final class Sampler {

    private final SamplingOptions options;
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
        this.options = options;
        candidates = new Candidates(vocabSize);
        greedy = options.isGreedy();
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
        boolean greedy = options.isGreedy();
        boolean mirostat = options.get(SamplingParameter.MIROSTAT_TAU) > 0 && !greedy;
        for (StepName name : options.order()) {
            // the most likely id is the same after every step that looks at ranks, and mirostat replaces most of them
            boolean wanted = name.looksAtIds() || !greedy && (!mirostat || name == StepName.TEMPERATURE);
            if (wanted) {
                add(chain, name, options, vocabSize, random);
            }
        }
        if (mirostat) {
            chain.add(new Mirostat(options));
        }
        return chain;
    }

    private static void add(
            List<SamplingStep> chain, StepName name, SamplingOptions options, int vocabSize, SplitMix64 random) {
        switch (name) {
            case PENALTIES -> {
                if (Penalties.isOn(options)) {
                    chain.add(new Penalties(options, vocabSize));
                }
            }
            case DRY -> {
                if (Dry.isOn(options)) {
                    chain.add(new Dry(options, vocabSize));
                }
            }
            case TOP_K -> {
                if (options.get(SamplingParameter.TOP_K) > 0) {
                    chain.add(new TopK(options.getInt(SamplingParameter.TOP_K)));
                }
            }
            case TOP_P -> {
                if (options.get(SamplingParameter.TOP_P) < 1) {
                    chain.add(new TopP(options.getFloat(SamplingParameter.TOP_P)));
                }
            }
            case MIN_P -> {
                if (options.get(SamplingParameter.MIN_P) > 0) {
                    chain.add(new MinP(options.getFloat(SamplingParameter.MIN_P)));
                }
            }
            case XTC -> {
                if (Xtc.isOn(options)) {
                    chain.add(new Xtc(
                            options.get(SamplingParameter.XTC_PROBABILITY),
                            options.get(SamplingParameter.XTC_THRESHOLD),
                            random));
                }
            }
            case TEMPERATURE -> {
                if (options.get(SamplingParameter.TEMPERATURE) != 1) {
                    chain.add(new Temperature(options.getFloat(SamplingParameter.TEMPERATURE)));
                }
            }
        }
    }

    /**
     * Chooses the next id. Report the id that the sequence goes on with, this or another, to {@link #accept}.
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

    /** How many of the largest logits decide the next id if there is no grammar; V for all. */
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

    /** Adds an id to the history, prompt or generated, that penalties and DRY look back on. */
    public void accept(int id) {
        for (SamplingStep step : steps) {
            step.accept(id);
        }
    }

    /** A second sampler that goes on as this one would, and goes its own way from here. */
    public Sampler copy() {
        Sampler copy = new Sampler(options, candidates.vocabSize());
        copy.copyFrom(this);
        return copy;
    }

    /**
     * Takes the state of another sampler with the same options; allocates nothing.
     *
     * @throws IllegalArgumentException if the options differ
     */
    public void copyFrom(Sampler other) {
        if (!options.equals(other.options)) {
            throw new IllegalArgumentException("samplers with different options");
        }
        random.restore(other.random.state());
        for (int i = 0; i < steps.length; i++) {
            steps[i].copyFrom(other.steps[i]);
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
     * Restores what {@link #save} wrote: with the same options this sampler goes on as that one would have. Keys of steps
     * outside this chain are ignored; steps without a key start afresh.
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
