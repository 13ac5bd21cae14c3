package dev.xlstm.cell;

import dev.xlstm.tensor.Elementwise;
import java.lang.foreign.MemorySegment;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/**
 * A causal depthwise convolution over time and the SiLU after it: {@code y_t = silu(bias + Σ_j w_j x_(t-K+1+j))}, j from 0
 * to K - 1, zeros before the start. The last K - 1 inputs are its state, {@code [K - 1, features]}, oldest first.
 */
public final class CausalConv {

    private final float[] taps; // [kernel, features]
    private final float[] bias; // [features]
    private final int features;
    private final int kernel;

    /**
     * @param taps [K, features]; the last meets the present input
     * @param bias [features]
     */
    public CausalConv(float[] taps, float[] bias) {
        this.taps = taps;
        this.bias = bias;
        features = bias.length;
        kernel = taps.length / features;
    }

    /**
     * Feeds {@code steps} steps to the features {@code [from, to)}.
     *
     * @param memory holds the state at byte {@code windowAt}
     * @param x the input of a step is {@code x[xAt, xAt + features)}, the next step's features floats further
     * @param y receives feature {@code from} at {@code yAt}, the next step's {@code yStride} floats further
     */
    public void forward(
            MemorySegment memory,
            long windowAt,
            int from,
            int to,
            int steps,
            float[] x,
            int xAt,
            float[] y,
            int yAt,
            int yStride) {
        int n = to - from;
        for (int t = 0; t < steps; t++) {
            int out = yAt + t * yStride;
            System.arraycopy(bias, from, y, out, n);
            for (int j = 0; j < kernel; j++) {
                int source = t - kernel + 1 + j; // the step this tap meets
                int tap = j * features + from;
                if (source < 0) {
                    long row = windowRow(windowAt, source + kernel - 1, from);
                    for (int d = 0; d < n; d++) {
                        y[out + d] = Math.fma(taps[tap + d], memory.get(JAVA_FLOAT, row + 4L * d), y[out + d]);
                    }
                } else {
                    int row = xAt + source * features + from;
                    for (int d = 0; d < n; d++) {
                        y[out + d] = Math.fma(taps[tap + d], x[row + d], y[out + d]);
                    }
                }
            }
            Elementwise.gateBySigmoid(y, out, y, out, n); // silu
        }
        for (int r = 0; r < kernel - 1; r++) { // a row never moves to a place that is still to be read
            int source = steps - kernel + 1 + r;
            long row = windowRow(windowAt, r, from);
            if (source < 0) {
                MemorySegment.copy(memory, windowRow(windowAt, source + kernel - 1, from), memory, row, 4L * n);
            } else {
                MemorySegment.copy(x, xAt + source * features + from, memory, JAVA_FLOAT, row, n);
            }
        }
    }

    private long windowRow(long windowAt, int row, int from) {
        return windowAt + 4L * ((long) row * features + from);
    }
}
