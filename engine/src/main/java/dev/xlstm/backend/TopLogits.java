package dev.xlstm.backend;

/**
 * The largest logits of a row: the largest first, of equal ones that of the lower id.
 *
 * @param ids of the logits, [n]
 * @param logits [n]
 */
public record TopLogits(int[] ids, float[] logits) {

    /** Room for n of them. */
    public TopLogits(int n) {
        this(new int[n], new float[n]);
    }

    /** n. */
    public int size() {
        return ids.length;
    }
}
