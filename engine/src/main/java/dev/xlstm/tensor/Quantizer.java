package dev.xlstm.tensor;

import java.lang.foreign.MemorySegment;

/** Rounds rows of float32 weights to the quantised formats. */
public final class Quantizer {

    /** Rows that lie interleaved. */
    public static final int PANEL_ROWS = QuantizedMatrix.PANEL;

    private static final int BLOCK = WeightMatrix.BLOCK;

    /** Steps that the search tries for a q4_0 block: the largest weight is this many steps away from zero, and so on. */
    private static final float FIRST_STEPS = 6.5f;

    private static final float STEPS_APART = 0.0625f;
    private static final int CANDIDATES = 48; // a multiple of the lanes of a vector, as C2 vectorises over them

    /** Adding this rounds a float of small magnitude to a whole number, ties to even. */
    private static final float ROUNDER = 0x1.8p23f;

    private Quantizer() {}

    /** Bytes of a matrix: whole panels of rows. */
    public static long byteSize(WeightFormat format, int rows, int columns) {
        return shape(format, rows, columns)[0] * shape(format, rows, columns)[1] * shape(format, rows, columns)[2];
    }

    /** The shape {@code [panels, blocks, bytes of a block of a panel]} of a matrix, as bytes. */
    public static long[] shape(WeightFormat format, int rows, int columns) {
        int panels = (rows + PANEL_ROWS - 1) / PANEL_ROWS;
        return new long[] {panels, columns / BLOCK, QuantizedMatrix.blockBytes(format)};
    }

    /**
     * Quantises a row of a matrix. Rows may be quantised in any order, by several threads at once.
     *
     * @param format a quantised one
     * @param weights {@code [columns]}, a multiple of {@link WeightMatrix#BLOCK}; finite
     * @param row its index in the matrix
     * @param target {@link #byteSize} bytes for the whole matrix, zero at first
     * @throws ArithmeticException if a weight is not finite, or too large for a scale
     */
    public static void quantize(WeightFormat format, float[] weights, int columns, int row, MemorySegment target) {
        boolean bytes = format == WeightFormat.Q8_0;
        int blockBytes = QuantizedMatrix.blockBytes(format);
        float[] search = new float[3 * CANDIDATES];
        long at = (long) row / PANEL_ROWS * (columns / BLOCK) * blockBytes + QuantizedMatrix.byteInLine(row);
        for (int from = 0; from < columns; from += BLOCK) {
            float scale = bytes ? largest(weights, from) / 127 : bestScale(weights, from, search);
            short stored = Simd.bfloat16(scale);
            float rounded = Float.intBitsToFloat(stored << 16);
            if (!Float.isFinite(rounded)) {
                throw new ArithmeticException("a block's scale of " + scale + " is too large");
            }
            if (Math.abs(rounded) < Float.MIN_NORMAL) { // zero, or what a subnormal would make of it
                stored = 0;
                rounded = 0;
            }
            target.set(Simd.SHORT, at + blockBytes - QuantizedMatrix.LINE, stored);
            int columnsOfLine = bytes ? 2 : 4;
            for (int c = 0; c < BLOCK; c += columnsOfLine) {
                int word = 0;
                for (int i = 0; i < columnsOfLine; i++) {
                    int number = rounded == 0 ? 0 : Math.round(weights[from + c + i] / rounded);
                    word |= bytes
                            ? (i == 0 ? Math.clamp(number, -127, 127) + 128 : Math.clamp(number, -127, 127) << 8)
                            : Math.clamp(number, -8, 7) + 8 << 4 * i;
                }
                target.set(Simd.SHORT, at + (long) (c / columnsOfLine) * QuantizedMatrix.LINE, (short) word);
            }
            at += blockBytes;
        }
    }

    /** The largest magnitude of a block. */
    private static float largest(float[] weights, int from) {
        return Math.abs(extreme(weights, from));
    }

    /** The weight of largest magnitude of a block, with its sign. */
    private static float extreme(float[] weights, int from) {
        float extreme = 0;
        for (int i = from; i < from + BLOCK; i++) {
            if (!Float.isFinite(weights[i])) {
                throw new ArithmeticException("weight " + i + " of a row is " + weights[i]);
            }
            extreme = Math.abs(weights[i]) > Math.abs(extreme) ? weights[i] : extreme;
        }
        return extreme;
    }

    /**
     * The scale of a q4_0 block with the least squared error. Each candidate rounds the weights so that the extreme one is so
     * many steps below zero (where there is one step more than above); for those numbers q, {@code Σwq / Σq²} is the best
     * scale, and the error is least where {@code (Σwq)² / Σq²} is largest.
     */
    private static float bestScale(float[] weights, int from, float[] search) {
        float extreme = extreme(weights, from);
        if (Math.abs(extreme) < Float.MIN_NORMAL) {
            return 0;
        }
        for (int j = 0; j < CANDIDATES; j++) {
            search[j] = -(FIRST_STEPS + j * STEPS_APART) / extreme;
            search[CANDIDATES + j] = 0;
            search[2 * CANDIDATES + j] = 0;
        }
        for (int i = from; i < from + BLOCK; i++) {
            addCandidates(weights[i], search);
        }
        int best = 0;
        float bestGain = -1;
        for (int j = 0; j < CANDIDATES; j++) {
            float wq = search[CANDIDATES + j];
            float qq = search[2 * CANDIDATES + j];
            float gain = wq * wq / qq;
            if (gain > bestGain) {
                bestGain = gain;
                best = j;
            }
        }
        float scale = search[CANDIDATES + best] / search[2 * CANDIDATES + best];
        return Float.isFinite(scale) ? scale : extreme / -8; // sums of tiny weights underflow
    }

    /** Adds a weight to the sums of all candidates, in a loop that C2 vectorises. */
    private static void addCandidates(float weight, float[] search) {
        for (int j = 0; j < CANDIDATES; j++) {
            float steps = Math.max(-8f, Math.min(7f, weight * search[j] + ROUNDER - ROUNDER));
            search[CANDIDATES + j] += weight * steps;
            search[2 * CANDIDATES + j] += steps * steps;
        }
    }
}
