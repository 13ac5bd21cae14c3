package dev.xlstm.tensor;

import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** The layers without matrices against their formulas in double precision. */
class ElementwiseTest {

    @BeforeEach
    void useVectors() {
        KernelWarmup.force(true);
    }

    @AfterEach
    void useWhatIsFaster() {
        KernelWarmup.force(null);
    }

    private static float[] gaussians(int n, double scale, long seed) {
        Random random = new Random(seed);
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) (scale * random.nextGaussian());
        }
        return x;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 15, 16, 17, 96, 4096})
    void rmsNorm(int n) {
        float[] x = gaussians(n + 3, 2, 1);
        float[] weight = gaussians(n, 1, 2);
        float[] bias = gaussians(n, 1, 3);
        float[] out = new float[n + 5];
        Elementwise.rmsNorm(x, 3, weight, bias, 1e-3f, out, 5);
        double squares = 0;
        for (int i = 0; i < n; i++) {
            squares += (double) x[3 + i] * x[3 + i];
        }
        for (int i = 0; i < n; i++) {
            double expected = x[3 + i] / Math.sqrt(squares / n + 1e-3) * weight[i] + bias[i];
            assertThat((double) out[5 + i]).isCloseTo(expected, within(1e-5));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 17, 512})
    void layerNormOfAHead(int n) {
        float[] x = gaussians(n, 2, 1);
        float[] weight = gaussians(2 * n, 1, 2);
        float[] expectedOut = new float[n];
        double mean = 0;
        for (float v : x) {
            mean += v / (double) n;
        }
        double variance = 0;
        for (float v : x) {
            variance += (v - mean) * (v - mean) / n;
        }
        for (int i = 0; i < n; i++) {
            expectedOut[i] = (float) ((x[i] - mean) / Math.sqrt(variance + 1e-6) * weight[n + i]);
        }
        Elementwise.layerNorm(x, 0, weight, null, n, n, 1e-6f, x, 0);
        assertThat(x).containsExactly(expectedOut, within(2e-5f));
    }

    @Test
    void gatesAndCaps() {
        int n = 1003;
        float[] x = gaussians(n, 20, 1);
        float[] y = gaussians(n, 3, 2);
        float[] sigmoid = y.clone();
        float[] silu = x.clone();
        float[] capped = x.clone();
        float[] uncapped = x.clone();
        Elementwise.gateBySigmoid(sigmoid, 0, x, 0, n);
        Elementwise.siluTimes(silu, 0, y, 0, n);
        Elementwise.softCap(capped, 0, n, 15);
        Elementwise.softCap(uncapped, 0, n, 0);
        for (int i = 0; i < n; i++) {
            double s = 1 / (1 + Math.exp(-(double) x[i]));
            assertThat((double) sigmoid[i]).isCloseTo(y[i] * s, within(1e-6 * Math.abs(y[i])));
            assertThat((double) silu[i]).isCloseTo(x[i] * s * y[i], within(1e-6 * Math.abs(x[i] * y[i]) + 1e-30));
            assertThat((double) capped[i]).isCloseTo(15 * Math.tanh(x[i] / 15.0), within(4e-6));
            assertThat(uncapped[i]).isEqualTo(x[i]);
        }
    }

    @Test
    void scalarLoopsGiveTheBitsOfVectorLoops() {
        float[] results = everything();
        KernelWarmup.force(false);
        assertThat(everything()).isEqualTo(results);
    }

    private static float[] everything() {
        int n = 1003;
        float[] results = new float[5 * n];
        for (int i = 0; i < 4; i++) {
            System.arraycopy(gaussians(n, 20, i), 0, results, i * n, n);
        }
        results[7] = Float.NEGATIVE_INFINITY;
        results[8] = -0f;
        Elementwise.softCap(results, 0, n, 15);
        Elementwise.gateBySigmoid(results, n, results, 2 * n, n);
        Elementwise.siluTimes(results, 2 * n, results, 3 * n, n);
        Gemm.accumulate(results, 0, 59, 1, results, n, 97, results, 4 * n, 103, 9, 10, 97);
        return results;
    }

    @Test
    void extremesSaturate() {
        float[] x = {1e30f, -1e30f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0f, -0f};
        Elementwise.softCap(x, 0, x.length, 30);
        assertThat(x).containsExactly(30f, -30f, 30f, -30f, 0f, 0f);
        float[] nan = {Float.NaN, 1f};
        Elementwise.softCap(nan, 0, 2, 30);
        assertThat(nan[0]).isNaN();
        float[] everyBitSet = {
            Float.intBitsToFloat(-1), Float.intBitsToFloat(0x7F800001), Float.intBitsToFloat(0x7FC12345)
        };
        float[] ones = {1f, 1f, 1f};
        Elementwise.gateBySigmoid(ones, 0, everyBitSet, 0, 3);
        assertThat(ones).containsOnly(Float.NaN);
        Elementwise.softCap(everyBitSet, 0, 3, 30);
        assertThat(everyBitSet).containsOnly(Float.NaN);
        float[] gated = {2f, 2f};
        Elementwise.gateBySigmoid(gated, 0, new float[] {1e30f, -1e30f}, 0, 2);
        assertThat(gated[0]).isEqualTo(2f);
        assertThat(gated[1]).isBetween(0f, 1e-30f);
    }

    @Test
    void expIsGoodToTwoUnitsInTheLastPlace() {
        float[] x = new float[Simd.LANES];
        for (float at = -87.3f; at < 88.3f; at += 0.0137f) {
            java.util.Arrays.fill(x, at);
            float e = Simd.exp(FloatVector.fromArray(Simd.F32, x, 0)).lane(0);
            assertThat((double) e).isCloseTo(Math.exp(at), within(2.0 * Math.ulp((float) Math.exp(at))));
            assertThat(Simd.exp(at)).isEqualTo(e);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 9, 64})
    void accumulatesMatrixProducts(int k) {
        for (int m : new int[] {1, 4, 6}) {
            for (int n : new int[] {1, 16, 70, 131}) {
                float[] a = gaussians(m * k + 2, 1, 1); // stored transposed: [k, m]
                float[] b = gaussians(k * (n + 1), 1, 2);
                float[] c = gaussians(m * (n + 3) + 1, 1, 3);
                float[] expected = c.clone();
                for (int i = 0; i < m; i++) {
                    for (int j = 0; j < n; j++) {
                        double sum = c[1 + i * (n + 3) + j];
                        for (int p = 0; p < k; p++) {
                            sum += (double) a[2 + i + p * m] * b[p * (n + 1) + j];
                        }
                        expected[1 + i * (n + 3) + j] = (float) sum;
                    }
                }
                Gemm.accumulate(a, 2, 1, m, b, 0, n + 1, c, 1, n + 3, m, k, n);
                assertThat(c).containsExactly(expected, within(2e-5f));
            }
        }
    }
}
