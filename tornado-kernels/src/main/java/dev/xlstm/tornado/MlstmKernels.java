package dev.xlstm.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The mLSTM cell (Beck et al. 2024, arXiv 2405.04517, in the stabilised form), its norm and output gate, for any number of
 * steps of any number of sequences. Prefill uses the recurrent form too: its work is small beside the matrix products, and
 * heads and columns of the state give enough workgroups.
 *
 * <p>Row t of {@code y} holds {@code q [heads, dqk], k [heads, dqk], v [heads, dv], o [heads, dv], i [heads], f [heads]},
 * the gates after their cap. Row t belongs to the state in slot {@code batch[1 + t]}; the rows of a sequence are
 * consecutive, and no sequence appears twice. A slot holds a state in the canonical layout; {@code offsets} says where the
 * layer's parts lie in it (see {@link DeviceWeights.Block}).
 *
 * <p>A kernel has as many parameters as it has arrays and sizes: TornadoVM compiles a static method and passes neither
 * fields nor objects.
 */
final class MlstmKernels {

    /** Columns of C a workgroup of {@link #cell} owns. */
    static final int COLUMNS = 32;

    /** Threads of a workgroup of {@link #cell}: each has a column and every eighth row of C. */
    static final int CELL_GROUP = 8 * COLUMNS;

    /** Threads of a workgroup of {@link #gate}. */
    static final int GATE_GROUP = 128;

    private MlstmKernels() {}

    /**
     * <pre>
     * m' = max(logsigmoid(f) + m, i)
     * C' = exp(logsigmoid(f) + m - m') C + exp(i - m') k vᵀ       n' = the same with k for k vᵀ
     * h  = C'ᵀ q/√dqk / (max(|n'·q/√dqk|, exp(-m')) + eps)
     * </pre>
     *
     * <p>Workgroup {@code head * tiles + tile} owns {@code COLUMNS} columns of the head's C. All workgroups of a head read
     * n and m, so none may change them: after the last row t of a sequence, {@code carry[t]} receives the new values.
     *
     * @param offsets of C, n and m in a slot, and the floats of a slot [4]
     * @param carry [t, heads, dqk + 1], n and then m
     * @param h [t, heads, dv]
     */
    static void cell(
            KernelContext context,
            IntArray batch,
            FloatArray y,
            FloatArray states,
            IntArray offsets,
            FloatArray carry,
            FloatArray h,
            int heads,
            int dqk,
            int dv,
            int tiles,
            float eps) {
        float[] sums = context.allocateFloatLocalArray(CELL_GROUP); // shares of h
        float[] normalizers = context.allocateFloatLocalArray(CELL_GROUP); // shares of n·q
        float[] n = context.allocateFloatLocalArray(dqk);
        int thread = context.localIdx;
        int head = context.groupIdx / tiles;
        int tile = context.groupIdx % tiles;
        int part = thread / COLUMNS;
        int column = tile * COLUMNS + thread % COLUMNS;
        int width = 2 * heads * (dqk + dv + 1);
        float scale = 1f / TornadoMath.sqrt((float) dqk);
        int rows = batch.get(0);
        float m = 0f;
        for (int t = 0; t < rows; t++) {
            int slot = batch.get(1 + t);
            int slotAt = slot * offsets.get(3);
            int before = -1;
            if (t > 0) {
                before = batch.get(t);
            }
            if (slot != before) { // a sequence begins
                m = states.get(slotAt + offsets.get(2) + head);
                for (int r = thread; r < dqk; r += CELL_GROUP) {
                    n[r] = states.get(slotAt + offsets.get(1) + head * dqk + r);
                }
            }
            int qAt = t * width + head * dqk;
            int kAt = qAt + heads * dqk;
            int vAt = t * width + 2 * heads * dqk + head * dv;
            float i = y.get(t * width + 2 * heads * (dqk + dv) + head);
            float f = y.get(t * width + 2 * heads * (dqk + dv) + heads + head);
            float decay = logSigmoid(f) + m;
            float mNew = Math.max(decay, i);
            float forget = TornadoMath.exp(decay - mNew);
            float input = TornadoMath.exp(i - mNew);
            m = mNew;

            float normalizer = 0f;
            for (int r = thread; r < dqk; r += CELL_GROUP) {
                float next = forget * n[r] + input * y.get(kAt + r);
                n[r] = next;
                normalizer += next * (y.get(qAt + r) * scale);
            }
            float sum = 0f;
            if (column < dv) {
                float v = input * y.get(vAt + column);
                int at = slotAt + offsets.get(0) + head * dqk * dv + column;
                for (int r = part; r < dqk; r += CELL_GROUP / COLUMNS) {
                    float next = forget * states.get(at + r * dv) + y.get(kAt + r) * v;
                    states.set(at + r * dv, next);
                    sum += next * (y.get(qAt + r) * scale);
                }
            }
            sums[thread] = sum;
            normalizers[thread] = normalizer;
            for (int stride = CELL_GROUP / 2; stride > 0; stride >>= 1) {
                context.localBarrier();
                if (thread < stride) {
                    normalizers[thread] += normalizers[thread + stride];
                    if (stride >= COLUMNS) {
                        sums[thread] += sums[thread + stride];
                    }
                }
            }
            context.localBarrier();
            if (part == 0 && column < dv) {
                float divisor = Math.max(Math.abs(normalizers[0]), TornadoMath.exp(-m)) + eps;
                h.set((t * heads + head) * dv + column, sums[thread] / divisor);
            }
            int after = -1;
            if (t + 1 < rows) {
                after = batch.get(2 + t);
            }
            if (slot != after && tile == 0) {
                int at = (t * heads + head) * (dqk + 1);
                for (int r = thread; r < dqk; r += CELL_GROUP) {
                    carry.set(at + r, n[r]);
                }
                if (thread == 0) {
                    carry.set(at + dqk, m);
                }
            }
            context.localBarrier();
        }
    }

    /**
     * {@code h = sigmoid(o) * (weight * (h - mean) / sqrt(variance + normEps) + bias)} for each head of each row, with mean
     * and variance over the head; then copies n and m from the carry to the state. A workgroup computes one head of one row.
     *
     * @param offsets as in {@link #cell}
     * @param weight [heads, dv]
     * @param bias [heads, dv]
     */
    static void gate(
            KernelContext context,
            IntArray batch,
            FloatArray y,
            FloatArray h,
            FloatArray weight,
            FloatArray bias,
            FloatArray states,
            IntArray offsets,
            FloatArray carry,
            int heads,
            int dqk,
            int dv,
            float normEps) {
        float[] sums = context.allocateFloatLocalArray(GATE_GROUP);
        float[] squares = context.allocateFloatLocalArray(GATE_GROUP);
        int thread = context.localIdx;
        int t = context.groupIdx / heads;
        int head = context.groupIdx % heads;
        int rows = batch.get(0);
        int hAt = (t * heads + head) * dv;
        int oAt = t * 2 * heads * (dqk + dv + 1) + heads * (2 * dqk + dv) + head * dv;
        if (t < rows) {
            float sum = 0f;
            for (int c = thread; c < dv; c += GATE_GROUP) {
                sum += h.get(hAt + c);
            }
            sums[thread] = sum;
            for (int stride = GATE_GROUP / 2; stride > 0; stride >>= 1) {
                context.localBarrier();
                if (thread < stride) {
                    sums[thread] += sums[thread + stride];
                }
            }
            context.localBarrier();
            float mean = sums[0] / dv;
            float square = 0f;
            for (int c = thread; c < dv; c += GATE_GROUP) {
                float d = h.get(hAt + c) - mean;
                square += d * d;
            }
            squares[thread] = square;
            for (int stride = GATE_GROUP / 2; stride > 0; stride >>= 1) {
                context.localBarrier();
                if (thread < stride) {
                    squares[thread] += squares[thread + stride];
                }
            }
            context.localBarrier();
            float factor = 1f / TornadoMath.sqrt(squares[0] / dv + normEps);
            for (int c = thread; c < dv; c += GATE_GROUP) {
                float normed = (h.get(hAt + c) - mean) * factor * weight.get(head * dv + c) + bias.get(head * dv + c);
                h.set(hAt + c, normed / (1f + TornadoMath.exp(-y.get(oAt + c))));
            }
            int slot = batch.get(1 + t);
            int after = -1;
            if (t + 1 < rows) {
                after = batch.get(2 + t);
            }
            if (slot != after) {
                int slotAt = slot * offsets.get(3);
                int from = (t * heads + head) * (dqk + 1);
                for (int r = thread; r < dqk; r += GATE_GROUP) {
                    states.set(slotAt + offsets.get(1) + head * dqk + r, carry.get(from + r));
                }
                if (thread == 0) {
                    states.set(slotAt + offsets.get(2) + head, carry.get(from + dqk));
                }
            }
        }
    }

    /** {@code -log(1 + exp(-z))}, accurate where the exponential is far below 1 (Kahan's log1p). */
    static float logSigmoid(float z) {
        float e = TornadoMath.exp(-Math.abs(z));
        float u = 1f + e;
        float log = e;
        if (u != 1f) {
            log = TornadoMath.log(u) * e / (u - 1f);
        }
        return Math.min(z, 0f) - log;
    }

    /** {@code states[batch[0] * size + i] = staging[i]} for i in [0, size): copies a state into its slot. */
    static void enter(KernelContext context, IntArray batch, FloatArray staging, FloatArray states, int size) {
        int i = context.globalIdx;
        if (i < size) {
            states.set(batch.get(0) * size + i, staging.get(i));
        }
    }

    /** {@code staging[i] = states[batch[0] * size + i]} for i in [0, size): copies a state out of its slot. */
    static void leave(KernelContext context, IntArray batch, FloatArray states, FloatArray staging, int size) {
        int i = context.globalIdx;
        if (i < size) {
            staging.set(i, states.get(batch.get(0) * size + i));
        }
    }
}
