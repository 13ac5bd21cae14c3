package dev.xlstm.cell;

import dev.xlstm.tensor.Activations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class CausalConvTest {

    /** A sequence in pieces, shorter than the window and longer, gives the outputs of the formula. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 7})
    void anyCutGivesTheFormula(int kernel) {
        int features = 21;
        int steps = 40;
        Random random = new Random(kernel);
        float[] taps = floats(random, kernel * features);
        float[] bias = floats(random, features);
        Activations x = new Activations(features);
        x.data = floats(random, steps * features);
        Activations y = new Activations(features);
        y.ensureRows(steps);
        CausalConv conv = new CausalConv(taps, bias, x, y);
        MemorySegment window = Arena.ofAuto().allocate(4L * kernel * features, 4);
        for (int at = 0; at < steps; ) {
            int count = Math.min(1 + random.nextInt(6), steps - at);
            for (int[] range : new int[][] {{0, 5}, {5, 21}}) { // as two threads would
                conv.forward(window, range[0], range[1], at, count);
                conv.shift(window, range[0], range[1], at, count);
            }
            at += count;
        }
        for (int t = 0; t < steps; t++) {
            for (int d = 0; d < features; d++) {
                double sum = bias[d];
                for (int j = 0; j < kernel; j++) {
                    int source = t - kernel + 1 + j;
                    sum += source < 0 ? 0 : (double) taps[j * features + d] * x.data[source * features + d];
                }
                assertThat((double) y.data[t * features + d]).isCloseTo(sum / (1 + Math.exp(-sum)), within(1e-5));
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
