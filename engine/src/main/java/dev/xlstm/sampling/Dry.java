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

    private final double multiplier;
    private final double base;
    private final int allowedLength;
    private final RecentIds recent;
    private final BitSet breakers = new BitSet();
    private final int[] longest; // [V], the longest passage that the id would go on with; 0 between calls

    Dry(SamplingOptions options, int vocabSize) {
        multiplier = options.get(SamplingParameter.DRY_MULTIPLIER);
        base = options.get(SamplingParameter.DRY_BASE);
        allowedLength = options.getInt(SamplingParameter.DRY_ALLOWED_LENGTH);
        recent = new RecentIds(options.getInt(SamplingParameter.DRY_LAST_N));
        options.dryBreakers().forEach(breakers::set);
        longest = new int[vocabSize];
    }

    static boolean isOn(SamplingOptions options) {
        return options.get(SamplingParameter.DRY_MULTIPLIER) > 0 && options.get(SamplingParameter.DRY_LAST_N) > 0;
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
            if (length >= allowedLength) {
                double penalty = multiplier * Math.pow(base, length - allowedLength);
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
    public void copyFrom(SamplingStep other) {
        recent.copyFrom(((Dry) other).recent);
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
