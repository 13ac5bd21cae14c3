package dev.xlstm.cell;

import dev.xlstm.tensor.Elementwise;

/**
 * The sLSTM cell (Beck et al. 2024, arXiv 2405.04517, in the stabilised form), unit by unit. With the pre-activations i, f,
 * z and o, in which the recurrent part and the bias are contained:
 *
 * <pre>
 * l  = logsigmoid(f) + m           m' = max(i, l), or i where nothing has been read (n = 0)
 * c' = min(e^(l - m'), 1) c + min(e^(i - m'), 1) tanh(z)        n' = the same with 1 for tanh(z)
 * y  = sigmoid(o) c' / n'
 * </pre>
 *
 * <p>An instance holds scratch memory and serves one thread.
 */
public final class SlstmCell {

    /** Gates i, f, z, o, in this order. */
    public static final int GATES = 4;

    private final float[] e; // what exponentials are taken of, and they

    /** @param size most units of a step */
    public SlstmCell(int size) {
        e = new float[3 * size];
    }

    /**
     * Feeds one step to {@code count} units.
     *
     * @param c the state, the first unit's at {@code stateAt}; n and m likewise
     * @param i what the input contributes to the gate of a unit, the first at {@code at}; f, z and o likewise
     * @param recurrent what the units' last outputs contribute: gate g of the first unit at {@code g * stride + recurrentAt};
     *     overwritten
     * @param bias at the same places
     * @param y receives the output of the first unit at {@code yAt}
     */
    public void step(
            float[] c,
            float[] n,
            float[] m,
            int stateAt,
            float[] i,
            float[] f,
            float[] z,
            float[] o,
            int at,
            float[] recurrent,
            float[] bias,
            int recurrentAt,
            int stride,
            float[] y,
            int yAt,
            int count) {
        int iAt = recurrentAt;
        int fAt = iAt + stride;
        int zAt = fAt + stride;
        int oAt = zAt + stride;
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
        // One call for both rounds of exponentials, and nothing of memory segments here: with more to do in one method
        // the compiler would stop inlining the Vector API, and every vector would become an object.
        for (int round = 0; round < 2; round++) {
            Elementwise.exp(e, 0, round == 0 ? 3 * count : count);
            if (round == 0) {
                weigh(m, stateAt, recurrent, iAt, fAt, zAt, y, yAt, count);
            } else {
                read(c, n, m, stateAt, recurrent, iAt, fAt, zAt, y, yAt, count);
            }
        }
    }

    /**
     * From the first exponentials tanh(z) in the place of z and sigmoid(o) in y. l in the place of f; of its weight and that
     * of i one is 1, the other {@code e^-|l - i|}.
     */
    private void weigh(
            float[] m, int stateAt, float[] gates, int iAt, int fAt, int zAt, float[] y, int yAt, int count) {
        for (int u = 0; u < count; u++) {
            float tanh = (1 - e[count + u]) / (1 + e[count + u]);
            gates[zAt + u] = Math.copySign(tanh, gates[zAt + u]);
            y[yAt + u] = 1 / (1 + e[2 * count + u]);
            float l = Math.min(gates[fAt + u], 0)
                    - log1p(e[u])
                    + m[stateAt + u]; // logsigmoid(f) = min(f, 0) - log(1 + e^-|f|)
            gates[fAt + u] = l;
            e[u] = -Math.abs(l - gates[iAt + u]);
        }
    }

    /** c', n', m' and y. */
    private void read(
            float[] c,
            float[] n,
            float[] m,
            int stateAt,
            float[] gates,
            int iAt,
            int fAt,
            int zAt,
            float[] y,
            int yAt,
            int count) {
        for (int u = 0; u < count; u++) {
            float i = gates[iAt + u];
            float l = gates[fAt + u];
            boolean nothingRead = n[stateAt + u] == 0;
            float input = nothingRead || i >= l ? 1 : e[u];
            float past = l >= i ? 1 : e[u];
            m[stateAt + u] = nothingRead ? i : Math.max(i, l);
            c[stateAt + u] = past * c[stateAt + u] + input * gates[zAt + u];
            n[stateAt + u] = past * n[stateAt + u] + input;
            y[yAt + u] *= c[stateAt + u] / n[stateAt + u];
        }
    }

    /**
     * {@code log(1 + x)} for x in [0, 1]: with {@code s = x / (2 + x)} twice the series {@code s + s³/3 + s⁵/5 + ...}, whose
     * first term left out is below 2e-8 of the sum.
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
