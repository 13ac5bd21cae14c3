package dev.xlstm.backend;

/**
 * The largest logits of a row, in descending order; equal logits in ascending order of their ids.
 *
 * @param ids [n]
 * @param logits [n]
 */
public record TopLogits(int[] ids, float[] logits) {

    /** Allocates n entries. */
    public TopLogits(int n) {
        this(new int[n], new float[n]);
    }

    /** n. */
    public int size() {
        return ids.length;
    }
}
