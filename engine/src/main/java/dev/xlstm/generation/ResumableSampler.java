package dev.xlstm.generation;

import dev.xlstm.sampling.RecentIds;
import dev.xlstm.sampling.Sampler;
import dev.xlstm.sampling.SamplingOptions;
import java.util.OptionalLong;

/**
 * The sampler of one text. With the same options it goes on from one generation to the next, and from a state file; with
 * others the draws begin at the seed.
 */
final class ResumableSampler {

    /** As far back as any sampler's window should reach. */
    private static final int HISTORY = 8192;

    private final int vocabSize;
    private final RecentIds history = new RecentIds(HISTORY); // for samplers that begin in the middle of the text
    private SamplingOptions options; // of the last generation; null before the first
    private Sampler sampler; // null before the first generation
    private SavedSampling saved; // read from a state file; null from the first generation on
    private long savedAt; // how many ids had been added when saved was read

    ResumableSampler(int vocabSize) {
        this.vocabSize = vocabSize;
    }

    /**
     * Restores what a state file holds.
     *
     * @param recent the last ids of the text
     * @param sampling null if nothing had been generated
     */
    void restore(int[] recent, SavedSampling sampling) {
        for (int id : recent) {
            history.add(id);
        }
        saved = sampling;
        savedAt = history.added();
    }

    /** Makes the sampler ready for a generation. */
    void use(SamplingOptions next) {
        if (next.equals(options)) {
            return;
        }
        sampler = new Sampler(next, vocabSize);
        boolean resumed = saved != null && saved.isOf(next);
        if (resumed) {
            sampler.restore(saved.state());
        }
        for (int id : history.since(resumed ? savedAt : 0)) {
            sampler.accept(id);
        }
        options = next;
        saved = null;
    }

    /** Of the options last {@link #use used}. */
    Sampler sampler() {
        return sampler;
    }

    /** Adds an id of the text, prompt or generated. */
    void accept(int id) {
        history.add(id);
        if (sampler != null) {
            sampler.accept(id);
        }
    }

    int[] recentIds() {
        return history.since(0);
    }

    /** The seed of the last generation, this one's or one before it was saved. */
    OptionalLong seed() {
        if (options != null) {
            return OptionalLong.of(options.seed());
        }
        return saved == null ? OptionalLong.empty() : OptionalLong.of(saved.seed());
    }

    /** What a state file keeps; null if a generation would begin at its seed. */
    SavedSampling save() {
        if (sampler != null) {
            return SavedSampling.of(options, sampler);
        }
        return savedAt == history.added() ? saved : null; // what was read since is not part of the saved windows
    }

    void copyFrom(ResumableSampler other) {
        history.copyFrom(other.history);
        options = other.options;
        sampler = other.sampler == null ? null : other.sampler.copy();
        saved = other.saved;
        savedAt = other.savedAt;
    }
}
