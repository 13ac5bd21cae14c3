package dev.xlstm.cell;

import dev.xlstm.tensor.Gemm;
import dev.xlstm.tensor.Simd;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/**
 * The mLSTM cell of one head (Beck et al. 2024, arXiv 2405.04517, in the stabilised form): the recurrent step and the
 * chunkwise form, which compute the same thing.
 *
 * <p>The state of a head is {@code C [dqk, dv]}, {@code n [dqk]} and the scalar {@code m}, float32, at byte offsets of a
 * segment. With {@code i} and {@code f} the gates' pre-activations:
 *
 * <pre>
 * m' = max(logsigmoid(f) + m, i)
 * C' = exp(logsigmoid(f) + m - m') C + exp(i - m') k vᵀ       n' = the same with k for k vᵀ
 * h  = C'ᵀ q/√dqk / (max(|n'·q/√dqk|, exp(-m')) + eps)
 * </pre>
 *
 * <p>An instance holds scratch memory and serves one thread.
 */
public final class MlstmCell {

    private final int dqk;
    private final int dv;
    private final int chunkSize;
    private final float eps;
    private final float scale; // of q; 1/√dqk in the formulas

    // scratch of the chunkwise form; c = chunkSize
    private float[] state; // C [dqk, dv]
    private float[] norm; // n [dqk]
    private float[] kT; // K transposed [dqk, c]
    private float[] qg; // q scaled and decayed to the chunk's start [c, dqk]
    private float[] kg; // k weighted as the next state takes it [c, dqk]
    private float[] scores; // S [c, c]
    // in double precision, as exponents are small differences of these
    private double[] b; // running sum of log forget gates [c]
    private double[] source; // i - b: a step's log weight, less the decay up to it [c]
    private double[] m; // stabiliser of each step [c]

    /**
     * @param dqk width of q and k
     * @param dv width of v and h
     * @param chunkSize steps the chunkwise form takes at once
     * @param eps added to the denominator
     * @param scale of q: 1/√dqk, or 1 where k has been scaled, which makes C and n so much smaller
     */
    public MlstmCell(int dqk, int dv, int chunkSize, float eps, float scale) {
        this.dqk = dqk;
        this.dv = dv;
        this.chunkSize = chunkSize;
        this.eps = eps;
        this.scale = scale;
    }

    /**
     * Feeds one step: reads the state, updates it and reads it out in one pass over C.
     *
     * @param memory holds the state, C at byte {@code cAt}, n at {@code nAt}, m at {@code mAt}
     * @param q the head's query at {@code qkAt}; k likewise
     * @param v the head's value at {@code vAt}; h, which receives the result, likewise
     * @param i pre-activation of the input gate, after its cap
     * @param f pre-activation of the forget gate, after its cap
     */
    public void step(
            MemorySegment memory,
            long cAt,
            long nAt,
            long mAt,
            float[] q,
            float[] k,
            int qkAt,
            float[] v,
            float[] h,
            int vAt,
            float i,
            float f) {
        float mOld = memory.get(JAVA_FLOAT, mAt);
        float logForget = logSigmoid(f);
        float mNew = Math.max(logForget + mOld, i);
        float forget = exp(logForget + mOld - mNew);
        float input = exp(i - mNew);
        memory.set(JAVA_FLOAT, mAt, mNew);

        float normalizer = 0; // n'·q
        for (int r = 0; r < dqk; r++) {
            float n = Math.fma(forget, memory.get(JAVA_FLOAT, nAt + 4L * r), input * k[qkAt + r]);
            memory.set(JAVA_FLOAT, nAt + 4L * r, n);
            normalizer = Math.fma(n, q[qkAt + r] * scale, normalizer);
        }
        Arrays.fill(h, vAt, vAt + dv, 0f);
        for (int r = 0; r < dqk; r++) {
            stepRow(memory, cAt + 4L * r * dv, forget, input * k[qkAt + r], q[qkAt + r] * scale, v, h, vAt, dv);
        }
        float divisor = Math.max(Math.abs(normalizer), exp(-mNew)) + eps;
        for (int c = 0; c < dv; c++) {
            h[vAt + c] /= divisor;
        }
    }

    /** {@code row = forget * row + key * v;  h += query * row}. */
    private static void stepRow(
            MemorySegment memory,
            long row,
            float forget,
            float key,
            float query,
            float[] v,
            float[] h,
            int vAt,
            int dv) {
        FloatVector keys = FloatVector.broadcast(F32, key);
        FloatVector queries = FloatVector.broadcast(F32, query);
        int c = 0;
        for (; c < Simd.bound(dv); c += LANES) {
            FloatVector cell = FloatVector.fromMemorySegment(F32, memory, row + 4L * c, ByteOrder.nativeOrder())
                    .mul(forget);
            cell = keys.fma(FloatVector.fromArray(F32, v, vAt + c), cell);
            cell.intoMemorySegment(memory, row + 4L * c, ByteOrder.nativeOrder());
            queries.fma(cell, FloatVector.fromArray(F32, h, vAt + c)).intoArray(h, vAt + c);
        }
        for (; c < dv; c++) {
            float cell = Math.fma(key, v[vAt + c], memory.get(JAVA_FLOAT, row + 4L * c) * forget);
            memory.set(JAVA_FLOAT, row + 4L * c, cell);
            h[vAt + c] = Math.fma(query, cell, h[vAt + c]);
        }
    }

    /**
     * Feeds {@code steps} steps in chunks. Within a chunk, with {@code b_t} the sum of {@code logsigmoid(f)} up to and
     * including step t:
     *
     * <pre>
     * D_ts = b_t - b_s + i_s  (s ≤ t)          m_t = max(b_t + m, max_s D_ts)
     * S_ts = q_t·k_s/√dqk exp(D_ts - m_t)      num_t = exp(b_t + m - m_t) Cᵀ q_t/√dqk + Σ_s S_ts v_s
     * </pre>
     *
     * and the denominator likewise with n for C and 1 for v. Row t of the inputs is {@code qkStride}, {@code vStride} and
     * {@code gateStride} floats after row t - 1.
     */
    public void chunkwise(
            MemorySegment memory,
            long cAt,
            long nAt,
            long mAt,
            int steps,
            float[] q,
            float[] k,
            int qkAt,
            int qkStride,
            float[] v,
            float[] h,
            int vAt,
            int vStride,
            float[] i,
            float[] f,
            int gateAt,
            int gateStride) {
        allocate();
        MemorySegment.copy(memory, JAVA_FLOAT, cAt, state, 0, dqk * dv);
        MemorySegment.copy(memory, JAVA_FLOAT, nAt, norm, 0, dqk);
        float mState = memory.get(JAVA_FLOAT, mAt);
        for (int t = 0; t < steps; t += chunkSize) {
            int length = Math.min(chunkSize, steps - t);
            int qkRow = qkAt + t * qkStride;
            int vRow = vAt + t * vStride;
            int gateRow = gateAt + t * gateStride;
            stabilise(length, i, f, gateRow, gateStride, mState);
            readOut(length, q, k, qkRow, qkStride, v, h, vRow, vStride, mState);
            mState = carry(length, k, qkRow, qkStride, v, vRow, vStride, mState);
        }
        MemorySegment.copy(state, 0, memory, JAVA_FLOAT, cAt, dqk * dv);
        MemorySegment.copy(norm, 0, memory, JAVA_FLOAT, nAt, dqk);
        memory.set(JAVA_FLOAT, mAt, mState);
    }

    /** b, i - b and m of a chunk. */
    private void stabilise(int length, float[] i, float[] f, int gateAt, int gateStride, float mState) {
        double sum = 0;
        double largest = Double.NEGATIVE_INFINITY;
        for (int t = 0; t < length; t++) {
            sum += logSigmoid(f[gateAt + t * gateStride]);
            b[t] = sum;
            source[t] = i[gateAt + t * gateStride] - sum;
            largest = Math.max(largest, source[t]);
            m[t] = sum + Math.max(mState, largest);
        }
    }

    /** h of a chunk, from the state at its start. */
    private void readOut(
            int length,
            float[] q,
            float[] k,
            int qkAt,
            int qkStride,
            float[] v,
            float[] h,
            int vAt,
            int vStride,
            float mState) {
        for (int s = 0; s < length; s++) {
            for (int r = 0; r < dqk; r++) {
                kT[r * chunkSize + s] = k[qkAt + s * qkStride + r];
            }
        }
        Arrays.fill(scores, 0, length * chunkSize, 0f);
        Gemm.accumulate(q, qkAt, qkStride, 1, kT, 0, chunkSize, scores, 0, chunkSize, length, dqk, length); // q·k
        for (int t = 0; t < length; t++) {
            int row = t * chunkSize;
            float sum = 0;
            for (int s = 0; s <= t; s++) {
                scores[row + s] *= scale * exp(b[t] + source[s] - m[t]);
                sum += scores[row + s];
            }
            Arrays.fill(scores, row + t + 1, row + length, 0f); // the future
            float decay = scale * exp(b[t] + mState - m[t]);
            for (int r = 0; r < dqk; r++) {
                float x = q[qkAt + t * qkStride + r] * decay;
                qg[t * dqk + r] = x;
                sum = Math.fma(x, norm[r], sum);
            }
            m[t] = Math.max(Math.abs(sum), exp(-m[t])) + eps; // from here on the divisor
            Arrays.fill(h, vAt + t * vStride, vAt + t * vStride + dv, 0f);
        }
        Gemm.accumulate(qg, 0, dqk, 1, state, 0, dv, h, vAt, vStride, length, dqk, dv);
        Gemm.accumulate(scores, 0, chunkSize, 1, v, vAt, vStride, h, vAt, vStride, length, length, dv);
        for (int t = 0; t < length; t++) {
            int row = vAt + t * vStride;
            float divisor = (float) m[t];
            for (int c = 0; c < dv; c++) {
                h[row + c] /= divisor;
            }
        }
    }

    /** Moves C and n to the end of the chunk and returns the new m. */
    private float carry(int length, float[] k, int qkAt, int qkStride, float[] v, int vAt, int vStride, float mState) {
        double total = b[length - 1];
        double mNew = total + mState;
        for (int s = 0; s < length; s++) {
            mNew = Math.max(mNew, total + source[s]);
        }
        mNew = (float) mNew; // as it will be kept
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
        Gemm.accumulate(kg, 0, 1, dqk, v, vAt, vStride, state, 0, dv, dqk, length, dv);
        return (float) mNew;
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
            m = new double[chunkSize];
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
