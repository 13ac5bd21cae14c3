package dev.xlstm.tornado;

import dev.xlstm.backend.TopLogits;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The largest logits of a row, for samplers that need no others. This saves host time rather than copying: ranking 50,304
 * logits takes a CPU core about 0.6 ms, a tenth of the time of a token of the 7B model.
 *
 * <p>The device sorts slices of the vocabulary in parallel, and the host merges the heads of the sorted slices; a second
 * kernel for the merge would cost more in its launch than it saves.
 */
final class LargestLogits {

    /** Logits per workgroup; a power of two. */
    static final int SLICE = 1024;

    /** Threads of a workgroup. */
    static final int GROUP = 256;

    /** Logits kept of each slice. */
    static final int MOST = 64;

    /** Ids are stored as floats, which are exact up to here. */
    static final int MAX_VOCAB = 1 << 24;

    /** Replaces the id of a logit that is not finite. */
    private static final int NOT_FINITE = -1;

    private LargestLogits() {}

    static int slices(int vocab) {
        return (vocab + SLICE - 1) / SLICE;
    }

    /** Floats of the result for the first {@code n} ranks, which come first. */
    static int size(int vocab, int n) {
        return 2 * slices(vocab) * n;
    }

    /**
     * {@code sorted[r][s] = (logit, id)} of rank r in slice s of the row: a bitonic sort by descending logit, then ascending
     * id. Logits that are not finite come first, without their ids.
     *
     * @param logits [vocab]
     * @param sorted [MOST, slices, 2]
     */
    static void sort(KernelContext context, FloatArray logits, FloatArray sorted, int vocab, int slices) {
        float[] values = context.allocateFloatLocalArray(SLICE);
        int[] ids = context.allocateIntLocalArray(SLICE);
        int thread = context.localIdx;
        int slice = context.groupIdx;
        for (int i = thread; i < SLICE; i += GROUP) {
            int id = slice * SLICE + i;
            float value = -Float.MAX_VALUE; // past the vocabulary: sorts last, since its id is the largest
            if (id < vocab) {
                value = logits.get(id);
            }
            if (value - value != 0f) { // TornadoVM 5.2 compiles !(|x| <= max) to |x| > max, which NaN is not
                value = Float.MAX_VALUE;
                id = NOT_FINITE;
            }
            values[i] = value;
            ids[i] = id;
        }
        for (int run = 2; run <= SLICE; run <<= 1) { // sorted runs of this length, every other one descending
            for (int distance = run >> 1; distance > 0; distance >>= 1) {
                context.localBarrier();
                for (int i = thread; i < SLICE / 2; i += GROUP) {
                    int a = 2 * i - (i & (distance - 1));
                    int b = a + distance;
                    float valueA = values[a];
                    float valueB = values[b];
                    int idA = ids[a];
                    int idB = ids[b];
                    // a single comparison: TornadoVM 5.2 compiles p || (q && r) wrongly
                    float order = valueB - valueA;
                    if (order == 0f) {
                        order = idA - idB;
                    }
                    if ((a & run) != 0) {
                        order = -order;
                    }
                    boolean keep = order < 0f;
                    values[a] = keep ? valueA : valueB;
                    values[b] = keep ? valueB : valueA;
                    ids[a] = keep ? idA : idB;
                    ids[b] = keep ? idB : idA;
                }
            }
        }
        context.localBarrier();
        for (int rank = thread; rank < MOST; rank += GROUP) {
            int at = 2 * (rank * slices + slice);
            sorted.set(at, values[rank]);
            sorted.set(at + 1, ids[rank]);
        }
    }

    /**
     * Merges the sorted slices.
     *
     * @param sorted the result of {@link #sort}, at least its first {@code top.size()} ranks
     * @param next scratch [slices]
     */
    static void merge(FloatArray sorted, int[] next, TopLogits top) {
        Arrays.fill(next, 0);
        for (int rank = 0; rank < top.size(); rank++) {
            int best = -1;
            float bestLogit = 0;
            float bestId = 0;
            for (int s = 0; s < next.length; s++) {
                int at = 2 * (next[s] * next.length + s);
                float logit = sorted.get(at);
                float id = sorted.get(at + 1);
                if (best < 0 || logit > bestLogit || logit == bestLogit && id < bestId) {
                    best = s;
                    bestLogit = logit;
                    bestId = id;
                }
            }
            next[best]++;
            top.ids()[rank] = (int) bestId;
            top.logits()[rank] = bestId == NOT_FINITE ? Float.NaN : bestLogit;
        }
    }
}
