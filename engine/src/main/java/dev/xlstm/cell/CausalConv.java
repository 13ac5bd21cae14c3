package dev.xlstm.cell;

import dev.xlstm.tensor.Activations;
import dev.xlstm.tensor.Elementwise;
import java.lang.foreign.MemorySegment;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/**
 * A causal depthwise convolution over time followed by SiLU: {@code y_t = silu(bias + Σ_j w_j x_(t-K+1+j))} for j from 0 to
 * K - 1, with zeros before the start. Its state is the window of the last K - 1 inputs, {@code [K - 1, features]}, oldest
 * first.
 */
public final class CausalConv {

    private final float[] taps; // [K, features]
    private final float[] bias; // [features]
    private final Activations x; // [rows, features]
    private final Activations y; // [rows, features]
    private final int features;
    private final int kernel; // K

    /**
     * @param taps [K, features]; the last meets the current input
     * @param bias [features]
     * @param x the inputs [rows, features]
     * @param y receives the outputs [rows, features]
     */
    public CausalConv(float[] taps, float[] bias, Activations x, Activations y) {
        this.taps = taps;
        this.bias = bias;
        this.x = x;
        this.y = y;
        features = bias.length;
        kernel = taps.length / features;
    }

    /**
     * Computes y of {@code rows} consecutive rows of one sequence for the features {@code [from, to)}.
     *
     * @param window the inputs before these rows [K - 1, features]; not read if K is 1
     */
    public void forward(MemorySegment window, int from, int to, int firstRow, int rows) {
        float[] in = x.data;
        float[] out = y.data;
        int n = to - from;
        for (int t = 0; t < rows; t++) {
            int at = (firstRow + t) * features + from;
            System.arraycopy(bias, from, out, at, n);
            for (int j = 0; j < kernel; j++) {
                int source = t - kernel + 1 + j; // the step that this tap multiplies
                int tap = j * features + from;
                if (source < 0) {
                    long row = windowRow(source + kernel - 1, from);
                    for (int d = 0; d < n; d++) {
                        out[at + d] = Math.fma(taps[tap + d], window.get(JAVA_FLOAT, row + 4L * d), out[at + d]);
                    }
                } else {
                    int row = (firstRow + source) * features + from;
                    for (int d = 0; d < n; d++) {
                        out[at + d] = Math.fma(taps[tap + d], in[row + d], out[at + d]);
                    }
                }
            }
            Elementwise.gateBySigmoid(out, at, out, at, n); // silu
        }
    }

    /** Moves the window past {@code rows} consecutive rows of x, for the features {@code [from, to)}. */
    public void shift(MemorySegment window, int from, int to, int firstRow, int rows) {
        float[] in = x.data;
        int n = to - from;
        for (int r = 0; r < kernel - 1; r++) { // ascending, so that no row is overwritten before it is read
            int source = rows - kernel + 1 + r;
            long row = windowRow(r, from);
            if (source < 0) {
                MemorySegment.copy(window, windowRow(source + kernel - 1, from), window, row, 4L * n);
            } else {
                MemorySegment.copy(in, (firstRow + source) * features + from, window, JAVA_FLOAT, row, n);
            }
        }
    }

    private long windowRow(int row, int from) {
        return 4L * ((long) row * features + from);
    }
}
