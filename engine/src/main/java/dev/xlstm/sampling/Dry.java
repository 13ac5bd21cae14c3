package dev.xlstm.sampling;

import java.util.BitSet;
import java.util.Map;

/**
 * The DRY penalty (Philipp Emanuel Weidmann, text-generation-webui, 2024). If the sequence ends with a passage of n ids
 * that occurred before and was followed by id t, then t would go on repeating it: the logit of t falls by
 * {@code multiplier * base^(n - allowedLength)} where n is at least the allowed length. The longest passage counts.
 */
final class Dry implements SamplingStep {

    /** Longer passages are penalised like this one, which bounds the work of a repetitive text. */
    private static final int MAX_PASSAGE = 50;

    /** Keeps the logits finite. */
    private static final double MAX_PENALTY = 1e30;

    private final DryOptions options;
    private final RecentIds recent;
    private final BitSet breakers = new BitSet();
    private final int[] longest; // [V], the longest passage that the id would go on with; 0 between calls

    Dry(DryOptions options, int vocabSize) {
        this.options = options;
        recent = new RecentIds(options.lastN());
        options.breakers().forEach(breakers::set);
        longest = new int[vocabSize];
    }

    @Override
    public void apply(Candidates candidates) {
        for (int back = 1; back < recent.size(); back++) {
            int next = recent.get(back - 1);
            int length = breakers.get(next) ? 0 : passage(back);
            longest[next] = Math.max(longest[next], length);
        }
        for (int back = 1; back < recent.size(); back++) {
            int next = recent.get(back - 1);
            int length = longest[next];
            longest[next] = 0; // once only, however often it occurs
            if (length >= options.allowedLength()) {
                double penalty = options.multiplier() * Math.pow(options.base(), length - options.allowedLength());
                candidates.set(next, candidates.get(next) - (float) Math.min(penalty, MAX_PENALTY));
            }
        }
    }

    /** How many ids, going back from {@code back}, equal those that end the sequence. */
    private int passage(int back) {
        int length = 0;
        while (length < MAX_PASSAGE
                && back + length < recent.size()
                && recent.get(back + length) == recent.get(length)
                && !breakers.get(recent.get(length))) {
            length++;
        }
        return length;
    }

    @Override
    public void accept(int id) {
        recent.add(id);
    }

    @Override
    public void save(Map<String, String> state) {
        state.put("dry.recent", recent.save());
    }

    @Override
    public void restore(SavedSampler state) {
        recent.clear();
        state.ids("dry.recent").forEach(this::accept);
    }
}
