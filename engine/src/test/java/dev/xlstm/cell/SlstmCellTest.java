package dev.xlstm.cell;

import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.tensor.Activations;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** The bare cell against the reference's figures, with the recurrence written out around it. */
class SlstmCellTest {

    static Stream<String> cases() throws Exception {
        try (GoldenFixture golden = new GoldenFixture("slstm-cell")) {
            return golden.json.get("cases").propertyNames().stream().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void computesTheReference(String name) throws Exception {
        try (GoldenFixture golden = new GoldenFixture("slstm-cell")) {
            int size = golden.json.get("hidden_size").asInt();
            int heads = golden.json.get("num_heads").asInt();
            int d = size / heads;
            int steps = golden.json.get("steps").asInt();
            float[] input = golden.floats(name + ".input"); // [steps, gate, size]
            float[] kernel = golden.floats("recurrent_kernel.vanilla"); // [heads, gate * d, d]
            float[] bias = golden.floats("bias.cuda"); // [heads, gate, d]
            Activations[] state = new Activations[4]; // y, c, n, m
            Arrays.setAll(state, part -> rows(size, new float[size]));
            if (golden.has(name + ".initial_state")) {
                float[] initial = golden.floats(name + ".initial_state");
                Arrays.setAll(state, part -> rows(size, Arrays.copyOfRange(initial, part * size, (part + 1) * size)));
            }
            float[][] got = new float[4][steps * size]; // after every step
            float[] y = state[0].data;
            Activations[][] gates = new Activations[4][heads];
            for (Activations[] gate : gates) {
                Arrays.setAll(gate, head -> rows(d, new float[d]));
            }
            SlstmCell cell = new SlstmCell(
                    new SlstmCell.Gates(gates[0], gates[1], gates[2], gates[3]),
                    new SlstmCell.States(state[1], state[2], state[3]),
                    state[0]);
            for (int t = 0; t < steps; t++) {
                float[] recurrent = new float[4 * size];
                for (int row = 0; row < 4 * size; row++) {
                    double sum = 0;
                    for (int k = 0; k < d; k++) {
                        sum += (double) kernel[row * d + k] * y[row / (4 * d) * d + k];
                    }
                    recurrent[row] = (float) sum;
                }
                for (int h = 0; h < heads; h++) {
                    for (int g = 0; g < 4; g++) {
                        System.arraycopy(input, (4 * t + g) * size + h * d, gates[g][h].data, 0, d);
                    }
                    cell.step(recurrent, bias, 0, h, 0, 0, d);
                }
                for (int part = 0; part < 4; part++) {
                    System.arraycopy(state[part].data, 0, got[part], t * size, size);
                }
            }
            float tolerance = (float) golden.json
                    .get("suggested_tolerance")
                    .get("rel_to_absmax_of_tensor")
                    .asDouble();
            String[] parts = {"y", "c", "n", "m"};
            for (int part = 0; part < 4; part++) {
                float[] expected = golden.floats(name + "." + parts[part] + "_float64");
                float scale = 0;
                float worst = 0;
                for (int i = 0; i < expected.length; i++) {
                    float difference = Math.abs(got[part][i] - expected[i]);
                    worst = difference <= worst ? worst : difference; // keeps NaN
                    scale = Math.max(scale, Math.abs(expected[i]));
                }
                assertThat(worst / scale).as(parts[part]).isLessThanOrEqualTo(tolerance);
            }
        }
    }

    private static Activations rows(int width, float[] data) {
        Activations rows = new Activations(width);
        rows.data = data;
        return rows;
    }
}
