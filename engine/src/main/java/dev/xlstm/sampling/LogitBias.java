package dev.xlstm.sampling;

import dev.xlstm.error.BadRequestException;
import java.util.Map;
import java.util.TreeMap;

/** Adds a fixed number to the logits of some ids; negative infinity rules an id out. */
final class LogitBias implements SamplingStep {

    private final int[] ids;
    private final float[] biases; // biases[i] belongs to ids[i]

    LogitBias(Map<Integer, Float> bias, int vocabSize) {
        ids = new int[bias.size()];
        biases = new float[bias.size()];
        int i = 0;
        for (Map.Entry<Integer, Float> entry : new TreeMap<>(bias).entrySet()) {
            if (entry.getKey() >= vocabSize) {
                throw new BadRequestException(
                        "logit bias of id " + entry.getKey() + ": the vocabulary has only " + vocabSize + " ids");
            }
            ids[i] = entry.getKey();
            biases[i++] = entry.getValue();
        }
    }

    @Override
    public void apply(Candidates candidates) {
        for (int i = 0; i < ids.length; i++) {
            candidates.set(ids[i], candidates.get(ids[i]) + biases[i]);
        }
    }
}
