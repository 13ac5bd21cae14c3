package dev.xlstm.tensor;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.I32;
import static dev.xlstm.tensor.Simd.LANES;

/**
 * Rows of activations rounded to 8 bits in blocks of 32: {@code x = scale * number}, where the largest magnitude of a block
 * becomes 127. Packed for the kernels of the formats that read them. A 16-bit factor is stored as an int that has it twice,
 * as broadcasting an int to a vector costs one load, broadcasting a short two instructions.
 *
 * <p>A block with a value that is not finite gets NaN as its scale, which makes all outputs NaN.
 */
final class RoundedActivations {

    private static final int BLOCK = WeightMatrix.BLOCK;

    /** Columns that lie together in {@link #numbers}. */
    static final int CHUNK = ExactTiles.COLUMNS;

    /** Adding this rounds a float of small magnitude to a whole number, ties to even, and its lowest bits are that number. */
    private static final float ROUNDER = 0x1.8p23f;

    private static final float SMALLEST = 0x1p-100f; // blocks of smaller magnitude count as zeros

    /** The multiple of its predecessor that a factor for q4_0 takes off: none for the first of a quad. */
    private static final IntVector CARRY =
            IntVector.zero(I32).addIndex(1).and(3).min(1).mul(-16);

    /** Moves each lane one up; {@link #CARRY} ignores the lanes where quads begin. */
    private static final VectorShuffle<Float> PREDECESSOR = VectorShuffle.fromOp(F32, lane -> Math.max(lane - 1, 0));

    private final int columns;
    private boolean forQ4;
    private boolean forQ8;
    private int rows;
    private float[] numbers = {};
    private float[] scales = {};
    private int[] integers = {};
    private int[] q4 = {};
    private int[] q4Starts = {};
    private int[] q8 = {};

    RoundedActivations(int columns) {
        this.columns = columns;
    }

    void addConsumer(WeightFormat format) {
        forQ4 |= format == WeightFormat.Q4_0;
        forQ8 |= format == WeightFormat.Q8_0;
    }

    /** Allocates what so many rows need. */
    void begin(int count) {
        rows = count;
        int chunks = (columns + CHUNK - 1) / CHUNK;
        if (numbers.length < chunks * CHUNK * count) {
            numbers = new float[chunks * CHUNK * count];
            scales = new float[count * blocks()];
            integers = new int[columns];
            q4 = new int[forQ4 ? count * columns : 0];
            q4Starts = new int[forQ4 ? count * blocks() : 0];
            q8 = new int[forQ8 ? count * columns / 2 * 3 : 0];
        }
    }

    /** Rounds row t of {@code x [rows, columns]}. */
    void pack(float[] x, int t) {
        boolean vectors = KernelWarmup.vectorsAreCompiled();
        for (int b = 0; b < blocks(); b++) {
            int from = t * columns + b * BLOCK;
            float magnitude = vectors ? magnitude(x, from) : scalarMagnitude(x, from);
            boolean finite = magnitude <= Float.MAX_VALUE; // false for NaN
            float inverse = finite && magnitude >= SMALLEST ? 127 / magnitude : 0;
            scales[scaleAt(t, b)] = !finite ? Float.NaN : inverse == 0 ? 0 : magnitude / 127;
            int to = numberAt(t, b * BLOCK);
            if (inverse == 0) {
                Arrays.fill(numbers, to, to + BLOCK, 0f);
            } else if (vectors) {
                round(x, from, inverse, numbers, to);
            } else {
                scalarRound(x, from, inverse, numbers, to);
            }
            for (int c = 0; rows == 1 && c < BLOCK; c++) {
                integers[b * BLOCK + c] = (int) numbers[to + c];
            }
            if (forQ4) {
                packQ4(t, b, to, vectors);
            }
            if (forQ8) {
                packQ8(t, b, to);
            }
        }
    }

    private static float magnitude(float[] x, int from) {
        FloatVector max = FloatVector.zero(F32);
        for (int c = 0; c < BLOCK; c += LANES) {
            max = max.max(FloatVector.fromArray(F32, x, from + c).abs());
        }
        return max.reduceLanes(VectorOperators.MAX);
    }

    private static float scalarMagnitude(float[] x, int from) {
        float max = 0;
        for (int c = from; c < from + BLOCK; c++) {
            max = Math.max(max, Math.abs(x[c]));
        }
        return max;
    }

    private static void round(float[] x, int from, float inverse, float[] out, int to) {
        for (int c = 0; c < BLOCK; c += LANES) {
            FloatVector.fromArray(F32, x, from + c)
                    .mul(inverse)
                    .add(ROUNDER)
                    .sub(ROUNDER)
                    .intoArray(out, to + c);
        }
    }

    private static void scalarRound(float[] x, int from, float inverse, float[] out, int to) {
        for (int c = 0; c < BLOCK; c++) {
            out[to + c] = x[from + c] * inverse + ROUNDER - ROUNDER;
        }
    }

    /** See {@link #q4}. */
    private void packQ4(int t, int block, int from, boolean vectors) {
        int to = t * columns + block * BLOCK;
        int sum = 0;
        if (vectors) {
            sum = (int) vectorPackQ4(from, to);
        } else {
            int before = 0;
            for (int c = 0; c < BLOCK; c++) {
                int number = (int) numbers[from + c];
                q4[to + c] = twice(c % 4 == 0 ? number : number - 16 * before);
                before = number;
                sum += number;
            }
        }
        q4Starts[scaleAt(t, block)] = twice(-8 * sum);
    }

    private float vectorPackQ4(int from, int to) {
        FloatVector sum = FloatVector.zero(F32);
        for (int c = 0; c < BLOCK; c += LANES) {
            FloatVector number = FloatVector.fromArray(F32, numbers, from + c);
            sum = sum.add(number);
            FloatVector before = number.rearrange(PREDECESSOR);
            IntVector factor = ((IntVector) before.convert(VectorOperators.F2I, 0))
                    .mul(CARRY)
                    .add((IntVector) number.convert(VectorOperators.F2I, 0))
                    .and(0xffff);
            factor.lanewise(VectorOperators.LSHL, 16).or(factor).intoArray(q4, to + c);
        }
        return sum.reduceLanes(VectorOperators.ADD); // exact in any order
    }

    /** See {@link #q8}. */
    private void packQ8(int t, int block, int from) {
        int to = (t * columns + block * BLOCK) / 2 * 3;
        for (int c = 0; c < BLOCK; c += 2) {
            int even = (int) numbers[from + c];
            int odd = (int) numbers[from + c + 1];
            q8[to] = twice(even);
            q8[to + 1] = twice(odd - 256 * even);
            q8[to + 2] = twice(0x8000 - 128 * even);
            to += 3;
        }
    }

    private static int twice(int value) {
        return value << 16 | value & 0xffff;
    }

    private int blocks() {
        return columns / BLOCK;
    }

    int rows() {
        return rows;
    }

    int columns() {
        return columns;
    }

    /** The whole numbers in [-127, 127], {@code [CHUNK columns, row, column of these]}. */
    float[] numbers() {
        return numbers;
    }

    /** The numbers of a single row, for the scalar loops. */
    int[] integers() {
        return integers;
    }

    /** The index of a number. */
    int numberAt(int t, int column) {
        return column / CHUNK * CHUNK * rows + t * CHUNK + column % CHUNK;
    }

    /** {@code [row, block]}. */
    float[] scales() {
        return scales;
    }

    int scaleAt(int t, int block) {
        return t * blocks() + block;
    }

    /** Factors for q4_0, {@code [row, column]}: of a quad of numbers x0, x1 - 16 x0, x2 - 16 x1, x3 - 16 x2, each twice. */
    int[] q4() {
        return q4;
    }

    /** The values from which the sums of a block start for q4_0, {@code [row, block]}: -8 Σx, twice. */
    int[] q4Starts() {
        return q4Starts;
    }

    /** Factors for q8_0, {@code [row, column / 2, 3]}: of a pair of numbers x0, x1 - 256 x0 and 2^15 - 128 x0, each twice. */
    int[] q8() {
        return q8;
    }
}
