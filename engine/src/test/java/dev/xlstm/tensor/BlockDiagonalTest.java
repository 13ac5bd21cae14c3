package dev.xlstm.tensor;

import dev.xlstm.safetensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class BlockDiagonalTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 8, 19, 64})
    void everyOutputReadsItsBlock(int block) {
        int size = 3 * block;
        Random random = new Random(block);
        MemorySegment stored = Arena.ofAuto().allocate(4L * size * block, 4);
        for (int i = 0; i < size * block; i++) {
            stored.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        float[] x = new float[size + 5];
        float[] bias = new float[size];
        for (int i = 0; i < size; i++) {
            x[5 + i] = (float) random.nextGaussian();
            bias[i] = i;
        }
        BlockDiagonal matrix = new BlockDiagonal(WeightMatrix.of(DType.F32, stored, size, block));
        float[] y = new float[size + 2];
        matrix.multiply(x, 5, bias, y, 2, 0, block);
        matrix.multiply(x, 5, null, y, 2, block, size);
        for (int r = 0; r < size; r++) {
            double sum = r < block ? bias[r] : 0;
            for (int c = 0; c < block; c++) {
                sum += (double) stored.getAtIndex(JAVA_FLOAT, (long) r * block + c) * x[5 + r / block * block + c];
            }
            assertThat((double) y[2 + r]).isCloseTo(sum, within(1e-4));
        }
    }
}
