package dev.xlstm.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/**
 * A square matrix of small square blocks on the diagonal and nothing else: a few weights for each output, read as float32
 * whatever their stored format.
 */
public final class BlockDiagonal {

    private final int block;
    private final MemorySegment weights; // [size, block]: of each output the columns of its block

    /** @param matrix [size, block], the rows of all blocks */
    public BlockDiagonal(WeightMatrix matrix) {
        block = matrix.columns();
        weights = Arena.ofAuto().allocate(4L * matrix.rows() * block, 64);
        float[] row = new float[block];
        for (int r = 0; r < matrix.rows(); r++) {
            matrix.unpack(r, 0, block, row, 0);
            MemorySegment.copy(row, 0, weights, JAVA_FLOAT, 4L * r * block, block);
        }
    }

    /**
     * {@code y[r] = Σ_c W[r, c] x[c] + bias[r]} for r in [from, to).
     *
     * @param x its first element is {@code x[xAt]}; y likewise
     * @param bias null for none
     */
    public void multiply(float[] x, int xAt, float[] bias, float[] y, int yAt, int from, int to) {
        for (int r = from; r < to; r++) {
            long row = 4L * r * block;
            int first = xAt + r / block * block;
            float sum = block < LANES ? 0 : dot(row, x, first);
            for (int c = block & -LANES; c < block; c++) {
                sum = Math.fma(weights.get(JAVA_FLOAT, row + 4L * c), x[first + c], sum);
            }
            y[yAt + r] = bias == null ? sum : sum + bias[r];
        }
    }

    private float dot(long row, float[] x, int first) {
        FloatVector sums = FloatVector.zero(F32);
        for (int c = 0; c < (block & -LANES); c += LANES) {
            sums = FloatVector.fromMemorySegment(F32, weights, row + 4L * c, ByteOrder.nativeOrder())
                    .fma(FloatVector.fromArray(F32, x, first + c), sums);
        }
        return Simd.sum(sums);
    }
}
