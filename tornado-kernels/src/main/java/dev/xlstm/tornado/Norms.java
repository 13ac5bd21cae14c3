package dev.xlstm.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** RMS norms of many rows, and the gather of rows; {@link MatrixVector} normalises its one vector itself. */
final class Norms {

    /** Threads of a workgroup. */
    static final int GROUP = 64;

    private Norms() {}

    /**
     * {@code factors[t] = 1 / sqrt(mean(x[t]²) + eps)}, the factor of the norm apart from its weights. A workgroup computes
     * one row.
     *
     * @param batch its first element is the number of rows
     * @param x [t, columns]
     */
    static void rms(KernelContext context, IntArray batch, FloatArray x, FloatArray factors, int columns, float eps) {
        float[] sums = context.allocateFloatLocalArray(GROUP);
        int t = context.groupIdx;
        int thread = context.localIdx;
        if (t < batch.get(0)) {
            float sum = 0f;
            for (int c = thread; c < columns; c += GROUP) {
                float v = x.get(t * columns + c);
                sum += v * v;
            }
            sums[thread] = sum;
            for (int stride = GROUP / 2; stride > 0; stride >>= 1) {
                context.localBarrier();
                if (thread < stride) {
                    sums[thread] += sums[thread + stride];
                }
            }
            if (thread == 0) {
                factors.set(t, 1f / TornadoMath.sqrt(sums[0] / columns + eps));
            }
        }
    }

    /** {@code picked[p] = x[batch[1 + p]]} for {@code p < batch[0]}: gathers the rows that need logits. */
    static void pick(KernelContext context, IntArray batch, FloatArray x, FloatArray picked, int columns) {
        int p = context.groupIdx;
        if (p < batch.get(0)) {
            int row = batch.get(1 + p);
            for (int c = context.localIdx; c < columns; c += GROUP) {
                picked.set(p * columns + c, x.get(row * columns + c));
            }
        }
    }
}
