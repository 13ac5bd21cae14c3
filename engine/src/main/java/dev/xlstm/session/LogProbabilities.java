package dev.xlstm.session;

/** The probabilities a model gives to the next id, before any sampling: {@code log softmax(logits)}. */
public final class LogProbabilities {

    private final float[] logits; // [V] from offset on
    private final int offset;
    private final int vocab;
    private final double logSum;

    /**
     * @param logits [V]; not copied, so do not change it while this is used
     */
    public LogProbabilities(float[] logits) {
        this(logits, 0, logits.length);
    }

    /** Of one row of many: {@code logits[offset, offset + vocab)}. */
    LogProbabilities(float[] logits, int offset, int vocab) {
        this.logits = logits;
        this.offset = offset;
        this.vocab = vocab;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = offset; i < offset + vocab; i++) {
            max = Math.max(max, logits[i]);
        }
        double sum = 0;
        for (int i = offset; i < offset + vocab; i++) {
            sum += Math.exp(logits[i] - max);
        }
        logSum = max + Math.log(sum);
    }

    /** The natural logarithm of an id's probability. */
    public double of(int id) {
        return logits[offset + id] - logSum;
    }

    /** The {@code k} most probable ids, the most probable first; of equal ones the lower id first. */
    public int[] top(int k) {
        int[] top = new int[Math.min(k, vocab)];
        int count = 0;
        for (int id = 0; id < vocab && top.length > 0; id++) {
            float logit = logits[offset + id];
            if (count == top.length && !(logit > logits[offset + top[count - 1]])) {
                continue;
            }
            int rank = count == top.length ? count - 1 : count++;
            for (; rank > 0 && logit > logits[offset + top[rank - 1]]; rank--) {
                top[rank] = top[rank - 1];
            }
            top[rank] = id;
        }
        return top;
    }
}
