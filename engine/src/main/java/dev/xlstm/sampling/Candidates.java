package dev.xlstm.sampling;

import dev.xlstm.grammar.GrammarMask;

/**
 * The ids that may come next, with their logits: a window that samplers change and shrink. Ranks count from the most
 * likely id (rank 0); among equal logits the lower id comes first.
 *
 * <p>The arrays hold a heapsort that runs only as far as needed: the best ids found so far are sorted at the end, the rest is
 * a heap in front of them. The k best of V cost O(V + k log V) and no allocation.
 */
public final class Candidates {

    private final int[] ids; // [V]
    private final float[] logits; // [V], logits[i] belongs to ids[i]
    private int from; // candidates are [from, to)
    private int heapEnd; // [0, heapEnd) is the heap, [heapEnd, to) is sorted, best last
    private int to;
    private boolean ordered; // false: nothing has moved yet, ids[i] == i

    public Candidates(int vocabSize) {
        ids = new int[vocabSize];
        logits = new float[vocabSize];
    }

    /**
     * Starts over with all ids.
     *
     * @param source logits, [V]
     * @throws IllegalStateException if a logit is NaN or infinite
     */
    void load(float[] source) {
        int vocab = ids.length;
        for (int id = 0; id < vocab; id++) {
            float logit = source[id];
            if (!Float.isFinite(logit)) {
                throw new IllegalStateException("the model's logit of id " + id + " is " + logit
                        + "; its weights or the state it started from are damaged");
            }
            ids[id] = id;
            logits[id] = logit;
        }
        from = 0;
        heapEnd = vocab;
        to = vocab;
        ordered = false;
    }

    /**
     * Starts over with the largest logits alone, as if {@link #keep} had removed the others.
     *
     * @param bestIds by rank
     * @param bestLogits by rank
     */
    void load(int[] bestIds, float[] bestLogits) {
        to = bestIds.length;
        for (int rank = 0; rank < to; rank++) {
            ids[to - 1 - rank] = bestIds[rank];
            logits[to - 1 - rank] = bestLogits[rank];
        }
        from = 0;
        heapEnd = 0;
        ordered = true;
    }

    /** V. */
    int vocabSize() {
        return ids.length;
    }

    /** How many ids are left. */
    public int size() {
        return to - from;
    }

    /** The logit of an id. Only before the first call that takes a rank. */
    public float get(int id) {
        requireUnordered();
        return logits[id];
    }

    /** Changes the logit of an id; negative infinity rules it out. Only before the first call that takes a rank. */
    public void set(int id, float logit) {
        requireUnordered();
        logits[id] = logit;
    }

    /** Rules out all ids but those that a grammar allows. */
    void keepAllowed(GrammarMask grammar) {
        requireUnordered();
        for (int id = 0; id < ids.length; id++) {
            if (!grammar.allows(id)) {
                logits[id] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    private void requireUnordered() {
        if (ordered) {
            throw new IllegalStateException("samplers that look at ids must run before those that look at ranks");
        }
    }

    /** The id of a rank below {@link #size()}. */
    public int idAt(int rank) {
        return ids[index(rank)];
    }

    /** The logit of a rank below {@link #size()}. */
    public float logitAt(int rank) {
        return logits[index(rank)];
    }

    /** Removes all but the {@code n} most likely ids; at least one stays. */
    public void keep(int n) {
        if (n < size()) {
            from = index(Math.max(n, 1) - 1);
            heapEnd = from;
        }
    }

    /** Removes the {@code n} most likely ids, fewer than there are. */
    public void dropBest(int n) {
        index(n - 1); // sorts them to the end
        to -= n;
    }

    /** Divides all logits, taken relative to the best one, by a positive number: the order stays, nothing overflows. */
    public void divide(float divisor) {
        float best = logitAt(0);
        for (int i = from; i < to; i++) {
            logits[i] = (logits[i] - best) / divisor;
        }
    }

    /** The sum of all candidates' weights, see {@link #weightAt}. */
    public double totalWeight() {
        float best = logitAt(0);
        double total = 0;
        for (int i = from; i < to; i++) {
            total += Math.exp(logits[i] - best);
        }
        return total;
    }

    /** {@code exp(logit - best logit)}: a rank's probability is this over {@link #totalWeight()}. */
    public double weightAt(int rank) {
        return Math.exp(logitAt(rank) - logitAt(0));
    }

    /**
     * Draws an id by its probability.
     *
     * @param uniform in [0, 1)
     * @return its place, valid until the next call that takes a rank
     */
    int draw(double uniform) {
        double remaining = uniform * totalWeight();
        float best = logitAt(0);
        for (int i = to - 1; i >= from; i--) {
            remaining -= Math.exp(logits[i] - best);
            if (remaining < 0) {
                return i;
            }
        }
        return to - 1; // rounding left a crumb
    }

    /** The place of the most likely id. */
    int best() {
        return index(0);
    }

    /** The id at a place. */
    int idIn(int place) {
        return ids[place];
    }

    /** The logit at a place. */
    float logitIn(int place) {
        return logits[place];
    }

    private int index(int rank) {
        int index = to - 1 - rank;
        if (rank < 0 || index < from) {
            throw new IndexOutOfBoundsException("rank " + rank + " of " + size());
        }
        if (!ordered) {
            ordered = true;
            for (int i = heapEnd / 2 - 1; i >= 0; i--) {
                siftDown(i);
            }
        }
        while (heapEnd > index) {
            heapEnd--;
            swap(0, heapEnd);
            siftDown(0);
        }
        return index;
    }

    private void siftDown(int parent) {
        while (true) {
            int child = 2 * parent + 1;
            if (child >= heapEnd) {
                return;
            }
            if (child + 1 < heapEnd && better(child + 1, child)) {
                child++;
            }
            if (!better(child, parent)) {
                return;
            }
            swap(child, parent);
            parent = child;
        }
    }

    private boolean better(int a, int b) {
        return logits[a] > logits[b] || logits[a] == logits[b] && ids[a] < ids[b];
    }

    private void swap(int a, int b) {
        int id = ids[a];
        ids[a] = ids[b];
        ids[b] = id;
        float logit = logits[a];
        logits[a] = logits[b];
        logits[b] = logit;
    }
}
