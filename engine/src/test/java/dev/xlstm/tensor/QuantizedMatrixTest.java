package dev.xlstm.tensor;

import java.io.File;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Products of quantised matrices against their definition, bit for bit. */
class QuantizedMatrixTest {

    @AfterEach
    void warmUpAgain() {
        KernelWarmup.force(null);
    }

    private static WeightMatrix random(WeightFormat format, int rows, int columns, Random random) {
        MemorySegment data = Arena.ofAuto()
                .allocate(Quantizer.byteSize(format, rows, columns) + 2)
                .asSlice(2);
        for (int r = 0; r < rows; r++) {
            Quantizer.quantize(format, gaussians(columns, random), columns, r, data);
        }
        return WeightMatrix.quantized(format, data, rows, columns);
    }

    private static float[] gaussians(int n, Random random) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    private static float[] multiply(WeightMatrix w, float[] x, int n) {
        float[] y = new float[n * w.rows()];
        Arrays.fill(y, Float.NaN);
        multiply(w, x, n, y, 0, w.rows());
        return y;
    }

    private static void multiply(WeightMatrix w, float[] x, int n, float[] y, int from, int to) {
        PackedActivations packed = new PackedActivations(w.columns());
        packed.addConsumer(w);
        packed.begin(x, n);
        for (int group = 0; group < packed.groups(); group++) {
            packed.pack(group);
        }
        w.multiply(packed, y, from, to, new float[WeightMatrix.SCRATCH_FLOATS]);
    }

    /** Row t of x times row r of w, as the format defines it. */
    private static float defined(WeightMatrix w, int r, float[] x, int t) {
        float[] row = new float[w.columns()];
        w.unpack(r, 0, w.columns(), row, 0);
        float y = 0;
        for (int b = 0; b < w.columns() / 32; b++) {
            float largest = 0;
            for (int c = 32 * b; c < 32 * b + 32; c++) {
                largest = Math.max(largest, Math.abs(x[t * w.columns() + c]));
            }
            long sum = 0;
            for (int c = 32 * b; c < 32 * b + 32; c++) {
                float scale = w.scale(r, b);
                long weight = scale == 0 ? 0 : Math.round(row[c] / scale);
                sum += weight * (long) Math.rint(x[t * w.columns() + c] * (127 / largest));
            }
            y = Math.fma((float) sum, w.scale(r, b) * (largest / 127), y);
        }
        return y;
    }

    private static void check(WeightFormat format, int rows, int columns) {
        Random random = new Random(rows * 31L + columns);
        WeightMatrix w = random(format, rows, columns, random);
        float[] x = gaussians(70 * columns, random);
        float[] expected = new float[70 * rows];
        for (int t = 0; t < 70; t++) {
            for (int r = 0; r < rows; r++) {
                expected[t * rows + r] = defined(w, r, x, t);
            }
        }
        for (int n : new int[] {1, 2, 3, 4, 7, 8, 9, 16, 33, 70}) {
            for (boolean vectors : new boolean[] {true, false}) {
                KernelWarmup.force(vectors);
                float[] y = multiply(w, x, n);
                int difference = Arrays.mismatch(y, Arrays.copyOf(expected, n * rows));
                if (difference >= 0) { // no AssertJ, which the class path of a process of its own lacks
                    throw new AssertionError("output %d of %d rows by %d rows of %d columns, vectors %s: %s, not %s"
                            .formatted(difference, rows, n, columns, vectors, y[difference], expected[difference]));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "Q8_0, 1, 32",
        "Q8_0, 7, 96",
        "Q8_0, 33, 288",
        "Q8_0, 161, 1056",
        "Q4_0, 1, 32",
        "Q4_0, 7, 96",
        "Q4_0, 33, 288",
        "Q4_0, 161, 1056"
    })
    void rowsHaveTheBitsOfTheDefinitionAloneAmongFewAndAmongMany(WeightFormat format, int rows, int columns) {
        check(format, rows, columns);
    }

    /** The numbers that a file may hold, and not only those that the quantiser writes, with the largest activations. */
    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0"})
    void noSumOverflows(WeightFormat format) {
        float[][] patterns = {{1, 1, 1, 1}, {-1, -1, -1, -1}, {1, -1, 1, -1}, {-1, 1, 1, -1}};
        for (float[] pattern : patterns) {
            float[] weights = new float[64];
            float[] x = new float[9 * 64];
            for (int i = 0; i < x.length; i++) {
                weights[i % 64] = -pattern[i % 4];
                x[i] = pattern[i % 4];
            }
            MemorySegment data = Arena.ofAuto().allocate(Quantizer.byteSize(format, 1, 64));
            Quantizer.quantize(format, weights, 64, 0, data);
            WeightMatrix w = WeightMatrix.quantized(format, data, 1, 64);
            for (int n : new int[] {1, 4, 9}) {
                KernelWarmup.force(true);
                float[] y = multiply(w, x, n);
                assertThat(y).containsOnly(defined(w, 0, x, 0));
                assertThat(y[0]).isBetween(-65f, -63f);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0"})
    void productsOfSlicesAreThoseOfTheWhole(WeightFormat format) {
        Random random = new Random(4);
        WeightMatrix w = random(format, 170, 160, random);
        float[] x = gaussians(9 * 160, random);
        KernelWarmup.force(true);
        for (int n : new int[] {1, 6, 9}) {
            float[] whole = multiply(w, x, n);
            float[] part = multiply(w.slice(5, 145), x, n); // both ends are within panels
            float[] pieces = new float[n * 170];
            multiply(w, x, n, pieces, 64, 170);
            multiply(w, x, n, pieces, 0, 64);
            assertThat(pieces).isEqualTo(whole);
            for (int t = 0; t < n; t++) {
                assertThat(Arrays.copyOfRange(part, t * 140, (t + 1) * 140))
                        .isEqualTo(Arrays.copyOfRange(whole, t * 170 + 5, t * 170 + 145));
            }
        }
    }

    /** Against the scale that makes the extreme weight -8, which uses all steps but searches nothing. */
    @Test
    void theSearchedScaleHasNoLargerSquaredErrorThanThePlainOne() {
        Random random = new Random(12);
        double searched = 0;
        double plain = 0;
        for (int i = 0; i < 500; i++) {
            float[] weights = gaussians(32, random);
            MemorySegment data = Arena.ofAuto().allocate(Quantizer.byteSize(WeightFormat.Q4_0, 1, 32));
            Quantizer.quantize(WeightFormat.Q4_0, weights, 32, 0, data);
            float[] rounded = new float[32];
            WeightMatrix.quantized(WeightFormat.Q4_0, data, 1, 32).unpack(0, 0, 32, rounded, 0);
            float extreme = 0;
            for (float weight : weights) {
                extreme = Math.abs(weight) > Math.abs(extreme) ? weight : extreme;
            }
            double error = 0;
            double plainError = 0;
            for (int c = 0; c < 32; c++) {
                float scale = extreme / -8;
                error += Math.pow(rounded[c] - weights[c], 2);
                plainError += Math.pow(Math.clamp(Math.round(weights[c] / scale), -8, 7) * scale - weights[c], 2);
            }
            assertThat(error).isLessThan(1.02 * plainError); // the stored scale has 8 bits
            searched += error;
            plain += plainError;
        }
        assertThat(searched).isLessThan(0.9 * plain);
    }

    /** What is not a number must reach the outputs, where the session looks for it. */
    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void activationsThatAreNotFiniteMakeNaN(float value) {
        WeightMatrix w = random(WeightFormat.Q4_0, 40, 96, new Random(7));
        for (boolean vectors : new boolean[] {true, false}) {
            KernelWarmup.force(vectors);
            float[] x = new float[4 * 96];
            Arrays.fill(x, 0.5f);
            x[2 * 96 + 50] = value;
            float[] y = multiply(w, x, 4);
            for (int r = 0; r < 40; r++) {
                assertThat(y[2 * 40 + r]).isNaN();
                assertThat(y[3 * 40 + r]).isFinite();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0, 1e-38f, -1e-44f, 1e-31f})
    void activationsNearZeroMakeZero(float value) {
        WeightMatrix w = random(WeightFormat.Q8_0, 3, 64, new Random(7));
        for (boolean vectors : new boolean[] {true, false}) {
            KernelWarmup.force(vectors);
            float[] x = new float[64];
            Arrays.fill(x, value);
            assertThat(multiply(w, x, 1)).containsOnly(0f);
        }
    }

    /** The width is fixed when classes are loaded, so each takes a process; all compare with the definition. */
    @ParameterizedTest
    @CsvSource({"128, 3", "256, 3", "512, 3", "256, 2", "128, 2"})
    void everyVectorWidthGivesTheSameBits(int bits, int avx) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "-Dxlstm.vector.bits=" + bits,
                "-cp",
                location(QuantizedMatrixTest.class) + File.pathSeparator + location(WeightMatrix.class),
                QuantizedMatrixTest.class.getName()));
        if (System.getProperty("os.arch").equals("amd64")) {
            command.add(1, "-XX:UseAVX=" + avx);
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        assertThat(output).contains("checked at " + bits + " bits");
    }

    private static Path location(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    public static void main(String[] arguments) {
        for (WeightFormat format : WeightFormat.quantized()) {
            check(format, 33, 288);
        }
        System.out.println("checked at " + Simd.F32.vectorBitSize() + " bits");
    }
}
