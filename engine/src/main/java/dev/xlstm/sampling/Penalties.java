package dev.xlstm.sampling;

import java.util.Arrays;
import java.util.Map;
import java.util.StringJoiner;

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
    private final RecentIds recent; // null where all ids count

    Penalties(SamplingOptions options, int vocabSize) {
        repetition = options.getFloat(SamplingParameter.REPETITION_PENALTY);
        presence = options.getFloat(SamplingParameter.PRESENCE_PENALTY);
        frequency = options.getFloat(SamplingParameter.FREQUENCY_PENALTY);
        counts = new int[vocabSize];
        int lastN = options.getInt(SamplingParameter.REPEAT_LAST_N);
        recent = lastN < 0 ? null : new RecentIds(lastN);
    }

    /** Whether any of the three changes a logit. */
    static boolean isOn(SamplingOptions options) {
        return options.get(SamplingParameter.REPEAT_LAST_N) != 0
                && (options.get(SamplingParameter.REPETITION_PENALTY) != 1
                        || options.get(SamplingParameter.PRESENCE_PENALTY) != 0
                        || options.get(SamplingParameter.FREQUENCY_PENALTY) != 0);
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
        if (recent != null) {
            if (recent.isFull()) {
                counts[recent.oldest()]--;
            }
            recent.add(id);
        }
        counts[id]++;
    }

    @Override
    public void copyFrom(SamplingStep other) {
        Penalties from = (Penalties) other;
        System.arraycopy(from.counts, 0, counts, 0, counts.length);
        if (recent != null) {
            recent.copyFrom(from.recent);
        }
    }

    @Override
    public void save(Map<String, String> state) {
        if (recent != null) {
            state.put("penalties.recent", recent.save());
        } else {
            StringJoiner all = new StringJoiner(" ");
            for (int id = 0; id < counts.length; id++) {
                if (counts[id] > 0) {
                    all.add(id + ":" + counts[id]);
                }
            }
            state.put("penalties.counts", all.toString());
        }
    }

    @Override
    public void restore(SavedSampler state) {
        Arrays.fill(counts, 0);
        if (recent != null) {
            recent.clear();
        }
        state.ids("penalties.recent").forEach(this::accept);
        if (recent == null) {
            for (String pair : state.words("penalties.counts")) {
                String[] parts = pair.split(":");
                long count = parts.length == 2 ? state.integer("penalties.counts", parts[1]) : 0;
                if (count < 1 || count > Integer.MAX_VALUE) {
                    throw SavedSampler.bad("penalties.counts", pair, "is not an id and its count");
                }
                counts[state.id("penalties.counts", parts[0])] = (int) count;
            }
        }
    }
}
