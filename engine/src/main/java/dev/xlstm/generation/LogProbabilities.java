package dev.xlstm.generation;

/** The probabilities a model gives to the next id, before any sampling: {@code log softmax(logits)}. */
public final class LogProbabilities {

    private final float[] logits; // [V]
    private final double logSum;

    /**
     * @param logits [V]; not copied, so to be left alone as long as this is used
     */
    public LogProbabilities(float[] logits) {
        this.logits = logits;
        float max = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - max);
        }
        logSum = max + Math.log(sum);
    }

    /** The natural logarithm of an id's probability. */
    public double of(int id) {
        return logits[id] - logSum;
    }

    /** The {@code k} most probable ids, the most probable first; of equal ones the lower id first. */
    public int[] top(int k) {
        int[] top = new int[Math.min(k, logits.length)];
        int count = 0;
        for (int id = 0; id < logits.length && top.length > 0; id++) {
            if (count == top.length && !(logits[id] > logits[top[count - 1]])) {
                continue;
            }
            int place = count == top.length ? count - 1 : count++;
            for (; place > 0 && logits[id] > logits[top[place - 1]]; place--) {
                top[place] = top[place - 1];
            }
            top[place] = id;
        }
        return top;
    }
}
