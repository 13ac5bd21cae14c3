package dev.xlstm.cell;

import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;

/**
 * The sLSTM cell (Beck et al. 2024, arXiv 2405.04517, in the stabilised form), unit by unit. With the pre-activations i, f,
 * z and o, which include the recurrent part and the bias:
 *
 * <pre>
 * l  = logsigmoid(f) + m           m' = max(i, l), or i before the first step (n = 0)
 * c' = min(e^(l - m'), 1) c + min(e^(i - m'), 1) tanh(z)
 * n' = min(e^(l - m'), 1) n + min(e^(i - m'), 1)
 * h  = sigmoid(o) c' / n'
 * </pre>
 *
 * <p>An instance reads and writes the activations it was made with. It holds scratch memory: one thread at a time.
 */
public final class SlstmCell {

    /** Gates i, f, z, o, in this order. */
    public static final int GATES = 4;

    /**
     * What the input contributes to the gates, for each head apart: {@code [rows, D]}.
     *
     * @param i input gate
     * @param f forget gate
     * @param z cell input
     * @param o output gate
     */
    public record Gates(Activations[] i, Activations[] f, Activations[] z, Activations[] o) {}

    /**
     * The states of the sequences of a pass: {@code [sequences, E]}.
     *
     * @param c cell
     * @param n normaliser
     * @param m stabiliser
     */
    public record States(Activations c, Activations n, Activations m) {}

    private final Gates gates;
    private final States states;
    private final Activations hRows; // [rows, E]
    private final int headSize; // D
    private final int size; // E
    private final float[] e; // arguments of exponentials, then the exponentials [3, D]

    /** @param h receives the outputs [rows, E] */
    public SlstmCell(Gates gates, States states, Activations h) {
        this.gates = gates;
        this.states = states;
        hRows = h;
        headSize = gates.i[0].width;
        size = h.width;
        e = new float[3 * headSize];
    }

    /**
     * Feeds one row to the units {@code [from, to)} of a head.
     *
     * @param recurrent what the head's last outputs contribute to the gates {@code [NHs, gate, D]}; overwritten
     * @param bias of the gates {@code [NHs, gate, D]}
     * @param sequence index of the row's sequence in the states
     */
    public void step(float[] recurrent, float[] bias, int sequence, int head, int row, int from, int to) {
        float[] i = gates.i[head].data;
        float[] f = gates.f[head].data;
        float[] z = gates.z[head].data;
        float[] o = gates.o[head].data;
        int at = row * headSize + from;
        int iAt = head * GATES * headSize + from;
        int fAt = iAt + headSize;
        int zAt = fAt + headSize;
        int oAt = zAt + headSize;
        int count = to - from;
        for (int u = 0; u < count; u++) {
            recurrent[iAt + u] += i[at + u] + bias[iAt + u];
            recurrent[fAt + u] += f[at + u] + bias[fAt + u];
            recurrent[zAt + u] += z[at + u] + bias[zAt + u];
            recurrent[oAt + u] += o[at + u] + bias[oAt + u];
        }
        for (int u = 0; u < count; u++) {
            e[u] = -Math.abs(recurrent[fAt + u]);
            e[count + u] = -2 * Math.abs(recurrent[zAt + u]);
            e[2 * count + u] = -recurrent[oAt + u];
        }
        int stateAt = sequence * size + head * headSize + from;
        int hAt = row * size + head * headSize + from;
        // One call site for both rounds of exponentials, and no memory segments in this method: C2 stops inlining the
        // Vector API in larger methods, and each vector would then be allocated.
        for (int round = 0; round < 2; round++) {
            Elementwise.exp(e, 0, round == 0 ? 3 * count : count);
            if (round == 0) {
                weigh(recurrent, iAt, stateAt, hAt, count);
            } else {
                update(recurrent, iAt, stateAt, hAt, count);
            }
        }
    }

    /**
     * From the first exponentials: tanh(z) replaces z, sigmoid(o) goes into h, l replaces f. Of the weights of l and i one is
     * 1 and the other {@code e^-|l - i|}, whose argument replaces the exponential.
     */
    private void weigh(float[] gate, int iAt, int stateAt, int hAt, int count) {
        float[] m = states.m.data;
        float[] h = hRows.data;
        int fAt = iAt + headSize;
        int zAt = fAt + headSize;
        for (int u = 0; u < count; u++) {
            float tanh = (1 - e[count + u]) / (1 + e[count + u]);
            gate[zAt + u] = Math.copySign(tanh, gate[zAt + u]);
            h[hAt + u] = 1 / (1 + e[2 * count + u]);
            float l = Math.min(gate[fAt + u], 0)
                    - log1p(e[u])
                    + m[stateAt + u]; // logsigmoid(f) = min(f, 0) - log(1 + e^-|f|)
            gate[fAt + u] = l;
            e[u] = -Math.abs(l - gate[iAt + u]);
        }
    }

    /** Computes c', n', m' and h. */
    private void update(float[] gate, int iAt, int stateAt, int hAt, int count) {
        float[] c = states.c.data;
        float[] n = states.n.data;
        float[] m = states.m.data;
        float[] h = hRows.data;
        int fAt = iAt + headSize;
        int zAt = fAt + headSize;
        for (int u = 0; u < count; u++) {
            float i = gate[iAt + u];
            float l = gate[fAt + u];
            boolean first = n[stateAt + u] == 0;
            float input = first || i >= l ? 1 : e[u];
            float past = l >= i ? 1 : e[u];
            m[stateAt + u] = first ? i : Math.max(i, l);
            c[stateAt + u] = past * c[stateAt + u] + input * gate[zAt + u];
            n[stateAt + u] = past * n[stateAt + u] + input;
            h[hAt + u] *= c[stateAt + u] / n[stateAt + u];
        }
    }

    /**
     * {@code log(1 + x)} for x in [0, 1], as twice the series {@code s + s³/3 + s⁵/5 + ...} with {@code s = x / (2 + x)}. The
     * first omitted term is below 2e-8 of the sum.
     */
    private static float log1p(float x) {
        float s = x / (2 + x);
        float square = s * s;
        float p = Math.fma(square, 1f / 13, 1f / 11);
        p = Math.fma(p, square, 1f / 9);
        p = Math.fma(p, square, 1f / 7);
        p = Math.fma(p, square, 1f / 5);
        p = Math.fma(p, square, 1f / 3);
        p = Math.fma(p, square, 1);
        return 2 * s * p;
    }
}
