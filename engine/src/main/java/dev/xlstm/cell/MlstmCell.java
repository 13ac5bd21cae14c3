package dev.xlstm.cell;

import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Gemm;
import dev.xlstm.tensor.Simd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/**
 * The mLSTM cell (Beck et al. 2024, arXiv 2405.04517, in the stabilised form), head by head, as a recurrent step and in the
 * chunkwise form; both compute the same function.
 *
 * <p>The state of a sequence is {@code C [NH, dqk, dv]}, {@code n [NH, dqk]} and {@code m [NH]}. With {@code i} and {@code f}
 * the gates' pre-activations, each head computes
 *
 * <pre>
 * m' = max(logsigmoid(f) + m, i)
 * C' = exp(logsigmoid(f) + m - m') C + exp(i - m') k vᵀ
 * n' = exp(logsigmoid(f) + m - m') n + exp(i - m') k
 * h  = C'ᵀ q/√dqk / (max(|n'·q/√dqk|, exp(-m')) + eps)
 * </pre>
 *
 * <p>An instance reads and writes the activations it was made with. It holds scratch memory: one thread at a time.
 */
public final class MlstmCell {

    /**
     * @param heads NH
     * @param dqk width of a head's q and k
     * @param dv width of a head's v and h
     * @param chunkSize steps that the chunkwise form takes at once
     * @param eps added to the denominator of h
     * @param scale of q: 1/√dqk, or 1 if the caller scales k, which makes C and n smaller by √dqk
     */
    public record Shape(int heads, int dqk, int dv, int chunkSize, float eps, float scale) {}

    private final int heads;
    private final int dqk;
    private final int dv;
    private final int chunkSize;
    private final float eps;
    private final float scale;

    private final Activations qRows; // [rows, NH, dqk]
    private final Activations kRows; // [rows, NH, dqk]
    private final Activations vRows; // [rows, NH, dv]
    private final Activations iRows; // [rows, NH]
    private final Activations fRows; // [rows, NH]
    private final Activations hRows; // [rows, NH, dv]

    // the state that the methods below work on: a head of a sequence, or the copy of peek
    private MemorySegment c;
    private MemorySegment n;
    private MemorySegment m;
    private long cAt;
    private long nAt;
    private long mAt;

    private MemorySegment copy; // scratch of peek: C, n and m of one head

    // scratch of update, for each of its rows
    private float[] forgets = {};
    private float[] inputs = {};
    private float[] keys = {}; // for one row of C

    // scratch of the chunkwise form, of one head
    private float[] state; // C [dqk, dv]
    private float[] norm; // n [dqk]
    private float[] kT; // K transposed [dqk, chunk]
    private float[] qg; // q, scaled and decayed to the chunk's start [chunk, dqk]
    private float[] kg; // k, weighted for the next state [chunk, dqk]
    private float[] scores; // S [chunk, chunk]
    // double precision, because the exponents are small differences of these
    private double[] b; // running sum of the log forget gates [chunk]
    private double[] source; // i - b: log weight of a step, before the decay that follows it [chunk]
    private double[] stabiliser; // m of each step, then its divisor [chunk]

    /**
     * @param q [rows, NH, dqk]
     * @param k [rows, NH, dqk]
     * @param v [rows, NH, dv]
     * @param i pre-activations of the input gates, after their cap [rows, NH]
     * @param f pre-activations of the forget gates, after their cap [rows, NH]
     * @param h receives the outputs [rows, NH, dv]
     */
    public MlstmCell(
            Shape shape, Activations q, Activations k, Activations v, Activations i, Activations f, Activations h) {
        heads = shape.heads;
        dqk = shape.dqk;
        dv = shape.dv;
        chunkSize = shape.chunkSize;
        eps = shape.eps;
        scale = shape.scale;
        qRows = q;
        kRows = k;
        vRows = v;
        iRows = i;
        fRows = f;
        hRows = h;
    }

    /**
     * Feeds one row to a head: reads the state, updates it and computes h in one pass over C.
     *
     * @param c state C [NH, dqk, dv] of the sequence
     * @param n state n [NH, dqk]
     * @param m state m [NH]
     */
    public void step(MemorySegment c, MemorySegment n, MemorySegment m, int head, int row) {
        bind(c, n, m, head);
        step(head, row);
    }

    /**
     * Computes h of {@code rows} consecutive rows of one sequence as {@link #step} does, but on a copy of the head's state,
     * which stays in the cache. The parameters are those of {@link #step}.
     */
    public void peek(MemorySegment c, MemorySegment n, MemorySegment m, int head, int firstRow, int rows) {
        bind(c, n, m, head);
        long nOfCopy = 4L * dqk * dv;
        long mOfCopy = nOfCopy + 4L * dqk;
        if (copy == null) {
            copy = Arena.ofAuto().allocate(mOfCopy + 4, 64);
        }
        MemorySegment.copy(c, cAt, copy, 0, nOfCopy);
        MemorySegment.copy(n, nAt, copy, nOfCopy, 4L * dqk);
        MemorySegment.copy(m, mAt, copy, mOfCopy, 4);
        this.c = copy;
        this.n = copy;
        this.m = copy;
        cAt = 0;
        nAt = nOfCopy;
        mAt = mOfCopy;
        for (int row = firstRow; row < firstRow + rows; row++) {
            step(head, row);
        }
    }

    /**
     * Updates the state by {@code rows} consecutive rows of one sequence as {@link #step} does, without computing h, in one
     * pass over C. Reads k, v, i and f only. The parameters are those of {@link #step}.
     */
    public void update(MemorySegment c, MemorySegment n, MemorySegment m, int head, int firstRow, int rows) {
        bind(c, n, m, head);
        if (forgets.length < rows) {
            forgets = new float[rows];
            inputs = new float[rows];
            keys = new float[rows];
        }
        for (int t = 0; t < rows; t++) {
            float i = iRows.data[(firstRow + t) * heads + head];
            float logForget = logSigmoid(fRows.data[(firstRow + t) * heads + head]);
            float mOld = m.get(JAVA_FLOAT, mAt);
            float mNew = Math.max(logForget + mOld, i);
            forgets[t] = exp(logForget + mOld - mNew);
            inputs[t] = exp(i - mNew);
            m.set(JAVA_FLOAT, mAt, mNew);
        }
        for (int r = 0; r < dqk; r++) {
            float next = n.get(JAVA_FLOAT, nAt + 4L * r);
            for (int t = 0; t < rows; t++) {
                keys[t] = inputs[t] * kRows.data[qkAt(firstRow + t, head) + r];
                next = Math.fma(forgets[t], next, keys[t]);
            }
            n.set(JAVA_FLOAT, nAt + 4L * r, next);
            updateRow(c, cAt + 4L * r * dv, vAt(firstRow, head), rows);
        }
    }

    private void bind(MemorySegment c, MemorySegment n, MemorySegment m, int head) {
        this.c = c;
        this.n = n;
        this.m = m;
        cAt = 4L * head * dqk * dv;
        nAt = 4L * head * dqk;
        mAt = 4L * head;
    }

    private void step(int head, int row) {
        float[] q = qRows.data;
        float[] k = kRows.data;
        float[] h = hRows.data;
        int qkAt = qkAt(row, head);
        int vAt = vAt(row, head);
        float i = iRows.data[row * heads + head];
        float logForget = logSigmoid(fRows.data[row * heads + head]);
        float mOld = m.get(JAVA_FLOAT, mAt);
        float mNew = Math.max(logForget + mOld, i);
        float forget = exp(logForget + mOld - mNew);
        float input = exp(i - mNew);
        m.set(JAVA_FLOAT, mAt, mNew);

        float normalizer = 0; // n'·q
        MemorySegment norms = n;
        for (int r = 0; r < dqk; r++) {
            float next = Math.fma(forget, norms.get(JAVA_FLOAT, nAt + 4L * r), input * k[qkAt + r]);
            norms.set(JAVA_FLOAT, nAt + 4L * r, next);
            normalizer = Math.fma(next, q[qkAt + r] * scale, normalizer);
        }
        Arrays.fill(h, vAt, vAt + dv, 0f);
        for (int r = 0; r < dqk; r++) {
            stepRow(c, cAt + 4L * r * dv, forget, input * k[qkAt + r], q[qkAt + r] * scale, vAt);
        }
        float divisor = Math.max(Math.abs(normalizer), exp(-mNew)) + eps;
        for (int d = 0; d < dv; d++) {
            h[vAt + d] /= divisor;
        }
    }

    /** {@code row = forget * row + key * v;  h += query * row} for the row of C at byte {@code rowAt}. */
    private void stepRow(MemorySegment c, long rowAt, float forget, float key, float query, int vAt) {
        float[] v = vRows.data;
        float[] h = hRows.data;
        int n = dv;
        FloatVector keys = FloatVector.broadcast(F32, key);
        FloatVector queries = FloatVector.broadcast(F32, query);
        int d = 0;
        for (; d < Simd.bound(n); d += LANES) {
            FloatVector cell = FloatVector.fromMemorySegment(F32, c, rowAt + 4L * d, ByteOrder.nativeOrder())
                    .mul(forget);
            cell = keys.fma(FloatVector.fromArray(F32, v, vAt + d), cell);
            cell.intoMemorySegment(c, rowAt + 4L * d, ByteOrder.nativeOrder());
            queries.fma(cell, FloatVector.fromArray(F32, h, vAt + d)).intoArray(h, vAt + d);
        }
        for (; d < n; d++) {
            float cell = Math.fma(key, v[vAt + d], c.get(JAVA_FLOAT, rowAt + 4L * d) * forget);
            c.set(JAVA_FLOAT, rowAt + 4L * d, cell);
            h[vAt + d] = Math.fma(query, cell, h[vAt + d]);
        }
    }

    /** {@code row = forget_t * row + key_t * v_t} for each t in turn, with the roundings of {@link #stepRow}. */
    private void updateRow(MemorySegment c, long rowAt, int vAt, int rows) {
        float[] v = vRows.data;
        float[] forget = forgets;
        float[] key = keys;
        int n = dv;
        int vStride = heads * dv;
        int d = 0;
        for (; d < Simd.bound(n); d += LANES) {
            FloatVector cell = FloatVector.fromMemorySegment(F32, c, rowAt + 4L * d, ByteOrder.nativeOrder());
            for (int t = 0; t < rows; t++) {
                cell = FloatVector.broadcast(F32, key[t])
                        .fma(FloatVector.fromArray(F32, v, vAt + t * vStride + d), cell.mul(forget[t]));
            }
            cell.intoMemorySegment(c, rowAt + 4L * d, ByteOrder.nativeOrder());
        }
        for (; d < n; d++) {
            float cell = c.get(JAVA_FLOAT, rowAt + 4L * d);
            for (int t = 0; t < rows; t++) {
                cell = Math.fma(key[t], v[vAt + t * vStride + d], cell * forget[t]);
            }
            c.set(JAVA_FLOAT, rowAt + 4L * d, cell);
        }
    }

    /**
     * Feeds {@code rows} consecutive rows of one sequence to a head, in chunks. Within a chunk, with {@code b_t} the sum of
     * {@code logsigmoid(f)} up to and including step t:
     *
     * <pre>
     * D_ts  = b_t - b_s + i_s  (s ≤ t)          m_t = max(b_t + m, max_s D_ts)
     * S_ts  = q_t·k_s/√dqk exp(D_ts - m_t)
     * num_t = exp(b_t + m - m_t) Cᵀ q_t/√dqk + Σ_s S_ts v_s
     * den_t = exp(b_t + m - m_t) n·q_t/√dqk  + Σ_s S_ts
     * h_t   = num_t / (max(|den_t|, exp(-m_t)) + eps)
     * </pre>
     *
     * The parameters are those of {@link #step}.
     */
    public void chunkwise(MemorySegment c, MemorySegment n, MemorySegment m, int head, int firstRow, int rows) {
        allocate();
        bind(c, n, m, head);
        MemorySegment.copy(c, JAVA_FLOAT, cAt, state, 0, dqk * dv);
        MemorySegment.copy(n, JAVA_FLOAT, nAt, norm, 0, dqk);
        float mState = m.get(JAVA_FLOAT, mAt);
        for (int row = firstRow; row < firstRow + rows; row += chunkSize) {
            int length = Math.min(chunkSize, firstRow + rows - row);
            stabilise(head, row, length, mState);
            readOut(head, row, length, mState);
            mState = carry(head, row, length, mState);
        }
        MemorySegment.copy(state, 0, c, JAVA_FLOAT, cAt, dqk * dv);
        MemorySegment.copy(norm, 0, n, JAVA_FLOAT, nAt, dqk);
        m.set(JAVA_FLOAT, mAt, mState);
    }

    /** Computes b, i - b and m of a chunk. */
    private void stabilise(int head, int row, int length, float mState) {
        float[] i = iRows.data;
        float[] f = fRows.data;
        double sum = 0;
        double largest = Double.NEGATIVE_INFINITY;
        for (int t = 0; t < length; t++) {
            int at = (row + t) * heads + head;
            sum += logSigmoid(f[at]);
            b[t] = sum;
            source[t] = i[at] - sum;
            largest = Math.max(largest, source[t]);
            stabiliser[t] = sum + Math.max(mState, largest);
        }
    }

    /** Computes h of a chunk from the state at its start. */
    private void readOut(int head, int row, int length, float mState) {
        float[] q = qRows.data;
        float[] k = kRows.data;
        float[] v = vRows.data;
        float[] h = hRows.data;
        int qkAt = qkAt(row, head);
        int qkStride = heads * dqk;
        int vAt = vAt(row, head);
        int vStride = heads * dv;
        for (int s = 0; s < length; s++) {
            for (int r = 0; r < dqk; r++) {
                kT[r * chunkSize + s] = k[qkAt + s * qkStride + r];
            }
        }
        Arrays.fill(scores, 0, length * chunkSize, 0f);
        Gemm.accumulate(q, qkAt, qkStride, 1, kT, 0, chunkSize, scores, 0, chunkSize, length, dqk, length); // q·k
        for (int t = 0; t < length; t++) {
            int scoreRow = t * chunkSize;
            float sum = 0;
            for (int s = 0; s <= t; s++) {
                scores[scoreRow + s] *= scale * exp(b[t] + source[s] - stabiliser[t]);
                sum += scores[scoreRow + s];
            }
            Arrays.fill(scores, scoreRow + t + 1, scoreRow + length, 0f); // s > t: causal mask
            float decay = scale * exp(b[t] + mState - stabiliser[t]);
            for (int r = 0; r < dqk; r++) {
                float x = q[qkAt + t * qkStride + r] * decay;
                qg[t * dqk + r] = x;
                sum = Math.fma(x, norm[r], sum);
            }
            stabiliser[t] = Math.max(Math.abs(sum), exp(-stabiliser[t])) + eps; // from here on the divisor of h
            Arrays.fill(h, vAt + t * vStride, vAt + t * vStride + dv, 0f);
        }
        Gemm.accumulate(qg, 0, dqk, 1, state, 0, dv, h, vAt, vStride, length, dqk, dv);
        Gemm.accumulate(scores, 0, chunkSize, 1, v, vAt, vStride, h, vAt, vStride, length, length, dv);
        for (int t = 0; t < length; t++) {
            float divisor = (float) stabiliser[t];
            for (int d = 0; d < dv; d++) {
                h[vAt + t * vStride + d] /= divisor;
            }
        }
    }

    /** Moves C and n to the end of the chunk and returns the new m. */
    private float carry(int head, int row, int length, float mState) {
        float[] k = kRows.data;
        int qkAt = qkAt(row, head);
        int qkStride = heads * dqk;
        double total = b[length - 1];
        double mNew = total + mState;
        for (int s = 0; s < length; s++) {
            mNew = Math.max(mNew, total + source[s]);
        }
        mNew = (float) mNew; // rounded as it is stored
        float decay = exp(total + mState - mNew);
        scaleBy(decay, state, dqk * dv);
        scaleBy(decay, norm, dqk);
        for (int s = 0; s < length; s++) {
            float weight = exp(total + source[s] - mNew);
            for (int r = 0; r < dqk; r++) {
                float x = weight * k[qkAt + s * qkStride + r];
                kg[s * dqk + r] = x;
                norm[r] += x;
            }
        }
        Gemm.accumulate(kg, 0, 1, dqk, vRows.data, vAt(row, head), heads * dv, state, 0, dv, dqk, length, dv);
        return (float) mNew;
    }

    private int qkAt(int row, int head) {
        return (row * heads + head) * dqk;
    }

    private int vAt(int row, int head) {
        return (row * heads + head) * dv;
    }

    private static void scaleBy(float factor, float[] x, int n) {
        for (int j = 0; j < n; j++) {
            x[j] *= factor;
        }
    }

    private void allocate() {
        if (state == null) {
            state = new float[dqk * dv];
            norm = new float[dqk];
            kT = new float[dqk * chunkSize];
            qg = new float[chunkSize * dqk];
            kg = new float[chunkSize * dqk];
            scores = new float[chunkSize * chunkSize];
            b = new double[chunkSize];
            source = new double[chunkSize];
            stabiliser = new double[chunkSize];
        }
    }

    private static float exp(double x) {
        return (float) Math.exp(x);
    }

    /** {@code ln(1 / (1 + e^-x))}. */
    private static float logSigmoid(float x) {
        return (float) (Math.min(x, 0) - Math.log1p(Math.exp(-Math.abs(x))));
    }
}
