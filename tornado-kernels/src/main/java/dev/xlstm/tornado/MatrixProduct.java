package dev.xlstm.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The product of a matrix and many vectors, for prefill: tiles in local memory, so that each weight is read once for {@link
 * #STEPS} steps, and 4 x 4 sums per thread in registers.
 */
final class MatrixProduct {

    /** Rows of the matrix in a workgroup's tile. */
    static final int ROWS = 64;

    /** Steps (rows of x) in a workgroup's tile. */
    static final int STEPS = 32;

    /** Columns of a tile in local memory. */
    static final int DEPTH = 16;

    /** Threads of a workgroup, one for each 4 x 4 outputs. */
    static final int GROUP = ROWS / 4 * (STEPS / 4);

    private MatrixProduct() {}

    /**
     * {@link MatrixVector#multiply} for the steps {@code t < batch[0]}: {@code x [t, columns]}, and
     * {@code y[t, width]}, whose columns it writes from {@code at} on. {@link Norms#rms} computes the factors before.
     *
     * <p>Workgroup (g, s) computes the rows {@code [ROWS g, ROWS g + ROWS)} of the steps {@code [STEPS s, STEPS s + STEPS)}.
     *
     * @param factors [t], {@code 1 / rms(x[t])}
     */
    static void multiply(
            KernelContext context,
            IntArray batch,
            FloatArray x,
            FloatArray factors,
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
            int epilogue,
            int width,
            int at,
            int capFrom,
            float cap) {
        float[] weights = context.allocateFloatLocalArray(DEPTH * ROWS); // [depth, row]
        float[] inputs = context.allocateFloatLocalArray(DEPTH * STEPS); // [depth, step]
        int steps = batch.get(0);
        int thread = context.localIdx;
        int firstRow = ROWS * context.groupIdx;
        int firstStep = STEPS * context.groupIdy;
        int myRow = thread % (ROWS / 4) * 4;
        int myStep = thread / (ROWS / 4) * 4;
        if (firstStep < steps) {
            float[] sums = new float[16]; // [row, step]
            for (int i = 0; i < 16; i++) {
                sums[i] = 0f;
            }
            for (int first = 0; first < columns; first += DEPTH) {
                for (int i = thread; i < DEPTH * ROWS; i += GROUP) {
                    int row = Math.min(firstRow + i / DEPTH, rows - 1);
                    int column = first + i % DEPTH;
                    float w = 0f;
                    if (column < columns) {
                        w = weight(floats, halves, words, format, row * columns + column);
                    }
                    weights[i % DEPTH * ROWS + i / DEPTH] = w;
                }
                for (int i = thread; i < DEPTH * STEPS; i += GROUP) {
                    int step = Math.min(firstStep + i / DEPTH, steps - 1);
                    int column = first + i % DEPTH;
                    float v = 0f;
                    if (column < columns) {
                        v = x.get(step * columns + column);
                        if (normed == 1) {
                            v = v * norm.get(column);
                        }
                    }
                    inputs[i % DEPTH * STEPS + i / DEPTH] = v;
                }
                context.localBarrier();
                int depth = Math.min(DEPTH, columns - first); // not a constant: an unrolled kernel compiles slowly
                for (int d = 0; d < depth; d++) {
                    for (int i = 0; i < 4; i++) {
                        float w = weights[d * ROWS + myRow + i];
                        for (int j = 0; j < 4; j++) {
                            sums[4 * i + j] += w * inputs[d * STEPS + myStep + j];
                        }
                    }
                }
                context.localBarrier();
            }
            for (int j = 0; j < 4; j++) {
                int step = firstStep + myStep + j;
                if (step < steps) {
                    float factor = 1f;
                    if (normed == 1) {
                        factor = factors.get(step);
                    }
                    if (epilogue == MatrixVector.GATE) {
                        for (int i = 0; i < 4; i += 2) {
                            int r = firstRow + myRow + i;
                            if (r < rows) {
                                float gate = factor * rowScale(floats, format, r) * sums[4 * i + j] + bias.get(r);
                                float up = factor * rowScale(floats, format, r + 1) * sums[4 * i + 4 + j]
                                        + bias.get(r + 1);
                                y.set(step * width + r / 2, gate / (1f + TornadoMath.exp(-gate)) * up);
                            }
                        }
                    } else {
                        for (int i = 0; i < 4; i++) {
                            int r = firstRow + myRow + i;
                            if (r < rows) {
                                float z = factor * rowScale(floats, format, r) * sums[4 * i + j] + bias.get(r);
                                if (epilogue == MatrixVector.ADD) {
                                    z = z + y.get(step * width + at + r);
                                } else if (cap > 0f && r >= capFrom) {
                                    z = cap * TornadoMath.tanh(z / cap);
                                }
                                y.set(step * width + at + r, z);
                            }
                        }
                    }
                }
            }
        }
    }

    /** The weight at an index of the row-major matrix, without the scale of its row. */
    static float weight(FloatArray floats, HalfFloatArray halves, IntArray words, int format, int index) {
        float w;
        if (format == DeviceMatrix.F32) {
            w = floats.get(index);
        } else if (format == DeviceMatrix.F16) {
            w = halves.get(index).getFloat32();
        } else if (format == DeviceMatrix.Q8_0) {
            w = halves.get(index / 32).getFloat32() * ((words.get(index / 4) << (24 - 8 * (index % 4))) >> 24);
        } else {
            w = halves.get(index / 32).getFloat32() * (((words.get(index / 8) >> (4 * (index % 8))) & 15) - 8);
        }
        return w;
    }

    private static float rowScale(FloatArray floats, int format, int row) {
        float scale = 1f;
        if (format == DeviceMatrix.F16) {
            scale = floats.get(row);
        }
        return scale;
    }
}
