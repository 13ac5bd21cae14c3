package dev.xlstm.tensor;

import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.of;

/** The activation functions against their definitions in double precision. */
class ActivationTest {

    static Stream<Arguments> definitions() {
        return Stream.of(
                of("swish", (DoubleUnaryOperator) z -> z / (1 + Math.exp(-z))),
                of("gelu", (DoubleUnaryOperator) z -> z * normalDistribution(z)),
                of("relu", (DoubleUnaryOperator) z -> Math.max(z, 0)),
                of("relu^2", (DoubleUnaryOperator) z -> Math.max(z, 0) * Math.max(z, 0)),
                of("sigmoid", (DoubleUnaryOperator) z -> 1 / (1 + Math.exp(-z))),
                of("selu", (DoubleUnaryOperator)
                        z -> 1.0507009873554805 * (z > 0 ? z : 1.6732632423543772 * (Math.exp(z) - 1))));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("definitions")
    void isTheFunctionOfItsName(String name, DoubleUnaryOperator expected) {
        int n = 4001;
        float[] gate = new float[n + 2];
        float[] up = new float[n + 3];
        for (int i = 0; i < n; i++) {
            gate[2 + i] = (i - 2000) / 200f;
            up[3 + i] = 2;
        }
        float[] before = gate.clone();
        Activation.named(name).orElseThrow().times(gate, 2, up, 3, n);
        for (int i = 0; i < n; i++) {
            double value = 2 * expected.applyAsDouble(before[2 + i]);
            assertThat((double) gate[2 + i])
                    .as("of %s", before[2 + i])
                    .isCloseTo(value, within(2e-6 + 1e-6 * Math.abs(value)));
        }
        assertThat(Activation.names()).contains(name);
    }

    /** Φ by Simpson's rule on its density. */
    private static double normalDistribution(double z) {
        int steps = 2000;
        double width = z / steps;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double weight = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
            sum += weight * Math.exp(-i * width * i * width / 2);
        }
        return 0.5 + sum * width / 3 / Math.sqrt(2 * Math.PI);
    }
}
