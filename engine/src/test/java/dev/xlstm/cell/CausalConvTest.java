package dev.xlstm.cell;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class CausalConvTest {

    /** However a sequence is cut, shorter than the window or longer, every output is that of the formula. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 7})
    void anyCutGivesTheFormula(int kernel) {
        int features = 21;
        int steps = 40;
        Random random = new Random(kernel);
        float[] taps = floats(random, kernel * features);
        float[] bias = floats(random, features);
        float[] x = floats(random, steps * features);
        CausalConv conv = new CausalConv(taps, bias);
        float[] y = new float[steps * features];
        MemorySegment memory = Arena.ofAuto().allocate(8 + 4L * kernel * features, 8);
        for (int at = 0; at < steps; ) {
            int count = Math.min(1 + random.nextInt(6), steps - at);
            for (int[] range : new int[][] {{0, 5}, {5, 21}}) { // as two threads would
                int from = range[0];
                conv.forward(memory, 8, from, range[1], count, x, at * features, y, at * features + from, features);
            }
            at += count;
        }
        for (int t = 0; t < steps; t++) {
            for (int d = 0; d < features; d++) {
                double sum = bias[d];
                for (int j = 0; j < kernel; j++) {
                    int source = t - kernel + 1 + j;
                    sum += source < 0 ? 0 : (double) taps[j * features + d] * x[source * features + d];
                }
                assertThat((double) y[t * features + d]).isCloseTo(sum / (1 + Math.exp(-sum)), within(1e-5));
            }
        }
    }

    private static float[] floats(Random random, int n) {
        float[] floats = new float[n];
        for (int i = 0; i < n; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }
}
