package dev.xlstm.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The product of a matrix and one vector, which takes most of the time of decoding. A workgroup owns {@link #ROWS} whole rows
 * and reads each weight once, so the order of a sum is fixed.
 *
 * <p>In all kernels of this package, int and float parameters are constants of the compiled kernel, so a branch on the format
 * or the epilogue costs nothing. Values that change from pass to pass come in arrays.
 */
final class MatrixVector {

    /** Threads of a workgroup. */
    static final int GROUP = 64;

    /** Rows per workgroup, which loads the vector once for all of them. */
    static final int ROWS = 4;

    // epilogues
    static final int STORE = 0;
    static final int ADD = 1;
    static final int GATE = 2;

    private MatrixVector() {}

    /**
     * With {@code s = W x}, or {@code s = W (norm * x / rms(x))} if {@code normed}, and {@code z = s + bias}:
     *
     * <pre>
     * STORE  y[at + r] = z[r], for r ≥ capFrom cap * tanh(z[r] / cap) unless cap is 0
     * ADD    y[at + r] += z[r]
     * GATE   y[r] = silu(z[2r]) * z[2r + 1]
     * </pre>
     *
     * <p>Workgroup g computes the rows {@code [ROWS g, ROWS g + ROWS)}. A scale of the whole row is applied to the sum.
     *
     * @param x [columns]
     * @param norm [columns], weights of the RMS norm
     * @param floats, halves, words, format the matrix {@code [rows, columns]}, see {@link DeviceMatrix}
     * @param bias [rows]
     */
    static void multiply(
            KernelContext context,
            FloatArray x,
            FloatArray norm,
            FloatArray floats,
            HalfFloatArray halves,
            IntArray words,
            FloatArray bias,
            FloatArray y,
            int format,
            int rows,
            int columns,
            int normed,
            float normEps,
            int epilogue,
            int at,
            int capFrom,
            float cap) {
        float[] sums = context.allocateFloatLocalArray((ROWS + 1) * GROUP);
        int thread = context.localIdx;
        int row = ROWS * context.groupIdx;
        int r0 = row; // indices past the last row repeat it; their results are dropped
        int r1 = Math.min(row + 1, rows - 1);
        int r2 = Math.min(row + 2, rows - 1);
        int r3 = Math.min(row + 3, rows - 1);
        float s0 = 0f;
        float s1 = 0f;
        float s2 = 0f;
        float s3 = 0f;
        float squares = 0f;
        if (format == DeviceMatrix.F32) {
            for (int c = thread; c < columns; c += GROUP) {
                float v = x.get(c);
                squares += v * v;
                if (normed == 1) {
                    v = v * norm.get(c);
                }
                s0 += v * floats.get(r0 * columns + c);
                s1 += v * floats.get(r1 * columns + c);
                s2 += v * floats.get(r2 * columns + c);
                s3 += v * floats.get(r3 * columns + c);
            }
        } else if (format == DeviceMatrix.F16) {
            for (int c = thread; c < columns; c += GROUP) {
                float v = x.get(c);
                squares += v * v;
                if (normed == 1) {
                    v = v * norm.get(c);
                }
                s0 += v * halves.get(r0 * columns + c).getFloat32();
                s1 += v * halves.get(r1 * columns + c).getFloat32();
                s2 += v * halves.get(r2 * columns + c).getFloat32();
                s3 += v * halves.get(r3 * columns + c).getFloat32();
            }
        } else if (format == DeviceMatrix.Q8_0) {
            int perRow = columns / 4; // words of 4 weights; 8 of them share a scale
            for (int i = thread; i < perRow; i += GROUP) {
                float x0 = x.get(4 * i);
                float x1 = x.get(4 * i + 1);
                float x2 = x.get(4 * i + 2);
                float x3 = x.get(4 * i + 3);
                if (normed == 1) {
                    squares += x0 * x0 + x1 * x1 + x2 * x2 + x3 * x3;
                    x0 = x0 * norm.get(4 * i);
                    x1 = x1 * norm.get(4 * i + 1);
                    x2 = x2 * norm.get(4 * i + 2);
                    x3 = x3 * norm.get(4 * i + 3);
                }
                int w0 = r0 * perRow + i;
                int w1 = r1 * perRow + i;
                int w2 = r2 * perRow + i;
                int w3 = r3 * perRow + i;
                s0 += halves.get(w0 / 8).getFloat32() * dot4(words.get(w0), x0, x1, x2, x3);
                s1 += halves.get(w1 / 8).getFloat32() * dot4(words.get(w1), x0, x1, x2, x3);
                s2 += halves.get(w2 / 8).getFloat32() * dot4(words.get(w2), x0, x1, x2, x3);
                s3 += halves.get(w3 / 8).getFloat32() * dot4(words.get(w3), x0, x1, x2, x3);
            }
        } else {
            int perRow = columns / 8; // words of 8 weights; 4 of them share a scale
            for (int i = thread; i < perRow; i += GROUP) {
                float x0 = x.get(8 * i);
                float x1 = x.get(8 * i + 1);
                float x2 = x.get(8 * i + 2);
                float x3 = x.get(8 * i + 3);
                float x4 = x.get(8 * i + 4);
                float x5 = x.get(8 * i + 5);
                float x6 = x.get(8 * i + 6);
                float x7 = x.get(8 * i + 7);
                if (normed == 1) {
                    squares += x0 * x0 + x1 * x1 + x2 * x2 + x3 * x3;
                    squares += x4 * x4 + x5 * x5 + x6 * x6 + x7 * x7;
                    x0 = x0 * norm.get(8 * i);
                    x1 = x1 * norm.get(8 * i + 1);
                    x2 = x2 * norm.get(8 * i + 2);
                    x3 = x3 * norm.get(8 * i + 3);
                    x4 = x4 * norm.get(8 * i + 4);
                    x5 = x5 * norm.get(8 * i + 5);
                    x6 = x6 * norm.get(8 * i + 6);
                    x7 = x7 * norm.get(8 * i + 7);
                }
                int w0 = r0 * perRow + i;
                int w1 = r1 * perRow + i;
                int w2 = r2 * perRow + i;
                int w3 = r3 * perRow + i;
                s0 += halves.get(w0 / 4).getFloat32() * dot8(words.get(w0), x0, x1, x2, x3, x4, x5, x6, x7);
                s1 += halves.get(w1 / 4).getFloat32() * dot8(words.get(w1), x0, x1, x2, x3, x4, x5, x6, x7);
                s2 += halves.get(w2 / 4).getFloat32() * dot8(words.get(w2), x0, x1, x2, x3, x4, x5, x6, x7);
                s3 += halves.get(w3 / 4).getFloat32() * dot8(words.get(w3), x0, x1, x2, x3, x4, x5, x6, x7);
            }
        }
        sums[thread] = s0;
        sums[GROUP + thread] = s1;
        sums[2 * GROUP + thread] = s2;
        sums[3 * GROUP + thread] = s3;
        sums[4 * GROUP + thread] = squares;
        for (int stride = GROUP / 2; stride > 0; stride >>= 1) {
            context.localBarrier();
            if (thread < stride) {
                for (int j = 0; j <= ROWS; j++) {
                    sums[j * GROUP + thread] += sums[j * GROUP + thread + stride];
                }
            }
        }
        context.localBarrier();
        float factor = 1f;
        if (normed == 1) {
            factor = 1f / TornadoMath.sqrt(sums[4 * GROUP] / columns + normEps);
        }
        if (epilogue == GATE) {
            int r = row + 2 * thread;
            if (thread < ROWS / 2 && r < rows) {
                float scale0 = factor;
                float scale1 = factor;
                if (format == DeviceMatrix.F16) {
                    scale0 = scale0 * floats.get(r);
                    scale1 = scale1 * floats.get(r + 1);
                }
                float gate = sums[2 * thread * GROUP] * scale0 + bias.get(r);
                float up = sums[(2 * thread + 1) * GROUP] * scale1 + bias.get(r + 1);
                y.set(r / 2, gate / (1f + TornadoMath.exp(-gate)) * up);
            }
        } else {
            int r = row + thread;
            if (thread < ROWS && r < rows) {
                if (format == DeviceMatrix.F16) {
                    factor = factor * floats.get(r);
                }
                float z = sums[thread * GROUP] * factor + bias.get(r);
                if (epilogue == ADD) {
                    z = z + y.get(at + r);
                } else if (cap > 0f && r >= capFrom) {
                    z = cap * TornadoMath.tanh(z / cap);
                }
                y.set(at + r, z);
            }
        }
    }

    /** {@code Σ_e byte_e x_e} over the signed bytes of a word, lowest first. */
    static float dot4(int word, float x0, float x1, float x2, float x3) {
        return ((word << 24) >> 24) * x0 + ((word << 16) >> 24) * x1 + ((word << 8) >> 24) * x2 + (word >> 24) * x3;
    }

    /** {@code Σ_e (nibble_e - 8) x_e} over the nibbles of a word, lowest first. */
    static float dot8(int word, float x0, float x1, float x2, float x3, float x4, float x5, float x6, float x7) {
        float low = ((word & 15) - 8) * x0
                + (((word >> 4) & 15) - 8) * x1
                + (((word >> 8) & 15) - 8) * x2
                + (((word >> 12) & 15) - 8) * x3;
        float high = (((word >> 16) & 15) - 8) * x4
                + (((word >> 20) & 15) - 8) * x5
                + (((word >> 24) & 15) - 8) * x6
                + (((word >> 28) & 15) - 8) * x7;
        return low + high;
    }
}
