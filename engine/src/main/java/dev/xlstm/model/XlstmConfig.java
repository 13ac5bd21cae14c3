package dev.xlstm.model;

/**
 * What the computation needs to know of a config.json, derived and checked.
 *
 * @param hiddenSize H, width of the residual stream
 * @param numLayers L
 * @param numHeads NH
 * @param qkSize QK, width of q and k over all heads
 * @param vSize VD, width of v, of the output gate and of the cell's output over all heads
 * @param ffnSize U, width of the feed-forward layer
 * @param vocabSize V, rows of the embedding and of the head
 * @param gateSoftCap cap of the input and forget gates' pre-activations; 0 for none
 * @param outputLogitSoftCap cap of the logits; 0 for none
 * @param normEps added to the variance in all norms
 * @param eps added to the denominator of the mLSTM read-out
 * @param chunkSize steps the chunkwise mLSTM takes at once in prefill; changes results by rounding only
 */
public record XlstmConfig(
        int hiddenSize,
        int numLayers,
        int numHeads,
        int qkSize,
        int vSize,
        int ffnSize,
        int vocabSize,
        float gateSoftCap,
        float outputLogitSoftCap,
        float normEps,
        float eps,
        int chunkSize) {

    /** dqk, the width of one head's q and k. */
    public int qkHeadSize() {
        return qkSize / numHeads;
    }

    /** dv, the width of one head's v. */
    public int vHeadSize() {
        return vSize / numHeads;
    }

    /** Floats of one layer's state: C, n and m of all heads. */
    public long stateFloatsPerLayer() {
        return (long) numHeads * ((long) qkHeadSize() * vHeadSize() + qkHeadSize() + 1);
    }
}
