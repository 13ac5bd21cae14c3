package dev.xlstm.tensor;

import dev.xlstm.safetensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Every format's kernels against plain loops in double precision over the same stored bytes. */
class WeightMatrixTest {

    @BeforeEach
    void useVectors() {
        KernelWarmup.force(true);
    }

    @AfterEach
    void useWhatIsFaster() {
        KernelWarmup.force(null);
    }

    /** Random weights in a format, at an odd byte offset as files may have them, and their exact values. */
    private static final class Stored {
        final float[] values;
        final WeightMatrix matrix;

        Stored(WeightMatrix matrix, float[] values) {
            this.matrix = matrix;
            this.values = values;
        }

        Stored(DType dtype, int rows, int columns, Random random) {
            long bytes = (long) rows * columns * dtype.byteSize();
            MemorySegment data = Arena.ofAuto().allocate(bytes + 1).asSlice(1);
            values = new float[rows * columns];
            for (int i = 0; i < values.length; i++) {
                float v = (float) random.nextGaussian();
                switch (dtype) {
                    case F32 -> data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, v);
                    case F16 -> {
                        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, Float.floatToFloat16(v));
                        v = Float.float16ToFloat(Float.floatToFloat16(v));
                    }
                    default -> {
                        int upper = Float.floatToIntBits(v) >>> 16;
                        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i, (short) upper);
                        v = Float.intBitsToFloat(upper << 16);
                    }
                }
                values[i] = v;
            }
            matrix = WeightMatrix.of(dtype, data, rows, columns);
        }
    }

    private static Stored quantized(WeightFormat format, int rows, int columns, Random random) {
        MemorySegment data = Arena.ofAuto()
                .allocate(Quantizer.byteSize(format, rows, columns) + 1)
                .asSlice(1);
        float[] values = new float[rows * columns];
        for (int r = 0; r < rows; r++) {
            Quantizer.quantize(format, gaussians(columns, random), columns, r, data);
        }
        WeightMatrix matrix = WeightMatrix.quantized(format, data, rows, columns);
        for (int r = 0; r < rows; r++) {
            matrix.unpack(r, 0, columns, values, r * columns);
        }
        return new Stored(matrix, values);
    }

    private static Stored stored(WeightFormat format, int rows, int columns, Random random) {
        return format.isQuantized()
                ? quantized(format, rows, columns, random)
                : new Stored(DType.valueOf(format.name()), rows, columns, random);
    }

    private static void multiply(WeightMatrix w, float[] x, int n, float[] y, int from, int to) {
        float[] scratch = new float[WeightMatrix.SCRATCH_FLOATS];
        PackedActivations packed = new PackedActivations(w.columns());
        packed.addConsumer(w);
        packed.begin(x, n);
        for (int group = 0; group < packed.groups(); group++) {
            packed.pack(group);
        }
        w.multiply(packed, y, from, to, scratch);
    }

    private static float[] gaussians(int n, Random random) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    @ParameterizedTest
    @CsvSource({
        "f32, 1, 1",
        "f32, 7, 33",
        "f32, 20, 4100",
        "f16, 1, 1",
        "f16, 7, 33",
        "f16, 20, 4100",
        "bf16, 1, 1",
        "bf16, 7, 33",
        "bf16, 20, 4100",
        "f32, 16, 2048",
        "bf16, 35, 96",
        "f32, 100, 96",
        "bf16, 100, 2048"
    })
    void multipliesLikePlainLoops(String format, int rows, int columns) {
        Random random = new Random(rows * 31L + columns);
        Stored w = stored(WeightFormat.of(format), rows, columns, random);
        for (int n : new int[] {1, 2, 7, 16, 33, 70}) {
            float[] x = gaussians(n * columns, random);
            float[] y = new float[n * rows];
            Arrays.fill(y, Float.NaN);
            multiply(w.matrix, x, n, y, 0, rows);
            for (int t = 0; t < n; t++) {
                for (int r = 0; r < rows; r++) {
                    double exact = 0;
                    double magnitude = 0;
                    for (int c = 0; c < columns; c++) {
                        double term = (double) w.values[r * columns + c] * x[t * columns + c];
                        exact += term;
                        magnitude += Math.abs(term);
                    }
                    // a float sum of terms t_i errs by less than columns / lanes * 2^-24 * Σ|t_i|
                    double relative = 0x1p-20;
                    assertThat((double) y[t * rows + r])
                            .as("n %d row %d", n, r)
                            .isCloseTo(exact, within(magnitude * relative + 1e-30));
                }
            }
        }
    }

    /** Rows longer than scratch memory is, in numbers and in scales. */
    @ParameterizedTest
    @CsvSource({"f16, 700000", "bf16, 700000"})
    void rowsMayHaveAnyLength(String format, int columns) {
        Random random = new Random(1);
        int rows = 17;
        Stored w = stored(WeightFormat.of(format), rows, columns, random);
        for (int n : new int[] {1, 2}) {
            float[] x = gaussians(n * columns, random);
            float[] y = new float[n * rows];
            multiply(w.matrix, x, n, y, 0, rows);
            for (int r = 0; r < rows; r++) {
                double exact = 0;
                double magnitude = 0;
                for (int c = 0; c < columns; c++) {
                    double term = (double) w.values[r * columns + c] * x[(n - 1) * columns + c];
                    exact += term;
                    magnitude += Math.abs(term);
                }
                assertThat((double) y[(n - 1) * rows + r]).isCloseTo(exact, within(magnitude * 0x1p-18));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "f32, 21, 2085",
        "f16, 21, 2085",
        "bf16, 21, 2085",
        "q8_0, 21, 2144",
        "q4_0, 21, 2144",
        "f32, 3, 5",
        "bf16, 1, 31",
        "f16, 130, 64",
        "q8_0, 130, 64",
        "q4_0, 130, 64"
    })
    void scalarLoopsGiveTheBitsOfVectorLoops(String format, int rows, int columns) {
        Random random = new Random(columns);
        Stored w = stored(WeightFormat.of(format), rows, columns, random);
        for (int n : new int[] {1, 2, 16, 20, 40}) {
            float[] x = gaussians(n * columns, random);
            float[] vectors = new float[n * rows];
            multiply(w.matrix, x, n, vectors, 0, rows);
            KernelWarmup.force(false);
            float[] scalars = new float[n * rows];
            multiply(w.matrix, x, n, scalars, 0, rows);
            KernelWarmup.force(true);
            assertThat(scalars).as("n %d", n).isEqualTo(vectors);
        }
    }

    @ParameterizedTest
    @CsvSource({"f32, 40, 2085", "f16, 40, 2085", "bf16, 40, 2085", "bf16, 2, 31", "f32, 1, 16", "f16, 4, 1100"})
    void fewRowsHaveTheBitsTheyHaveAlone(String format, int rows, int columns) {
        Random random = new Random(6);
        Stored w = stored(WeightFormat.of(format), rows, columns, random);
        for (int n = 2; n <= PackedActivations.GROUP; n += n / 2) {
            float[] x = gaussians(n * columns, random);
            float[] together = new float[n * rows];
            multiply(w.matrix, x, n, together, 0, rows);
            for (int t = 0; t < n; t++) {
                float[] alone = new float[rows];
                multiply(w.matrix, Arrays.copyOfRange(x, t * columns, (t + 1) * columns), 1, alone, 0, rows);
                assertThat(Arrays.copyOfRange(together, t * rows, (t + 1) * rows))
                        .as("%d of %d", t, n)
                        .isEqualTo(alone);
            }
        }
    }

    /** Gates are small, and alone but for quantised matrices in a quantised model. */
    @ParameterizedTest
    @ValueSource(strings = {"f32", "f16", "bf16"})
    void anyNumberOfRowsByASmallMatrixHaveTheBitsTheyHaveAlone(String format) {
        Random random = new Random(8);
        Stored w = stored(WeightFormat.of(format), 4, 1100, random);
        int n = 3 * PackedActivations.GROUP + 5;
        float[] x = gaussians(n * 1100, random);
        for (boolean vectors : new boolean[] {true, false}) {
            KernelWarmup.force(vectors);
            float[] together = new float[n * 4];
            multiply(w.matrix, x, n, together, 0, 4);
            for (int t = 0; t < n; t++) {
                float[] alone = new float[4];
                multiply(w.matrix, Arrays.copyOfRange(x, t * 1100, (t + 1) * 1100), 1, alone, 0, 4);
                assertThat(Arrays.copyOfRange(together, t * 4, (t + 1) * 4)).isEqualTo(alone);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"f32", "f16", "bf16", "q8_0", "q4_0"})
    void stretchesOfRowsGiveTheBitsOfTheWhole(String format) {
        Random random = new Random(5);
        Stored w = stored(WeightFormat.of(format), 48, 2112, random);
        for (int n : new int[] {1, 6}) {
            float[] x = gaussians(n * 2112, random);
            float[] whole = new float[n * 48];
            multiply(w.matrix, x, n, whole, 0, 48);
            float[] pieces = new float[n * 48];
            multiply(w.matrix, x, n, pieces, 32, 48);
            multiply(w.matrix, x, n, pieces, 0, 32);
            assertThat(pieces).isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @CsvSource({"f32", "f16", "bf16", "q8_0", "q4_0"})
    void productsOfSlicesAreThoseOfTheWhole(String format) {
        Random random = new Random(4);
        Stored w = stored(WeightFormat.of(format), 70, 160, random);
        for (int n : new int[] {1, 3}) {
            float[] x = gaussians(n * 160, random);
            float[] whole = new float[n * 70];
            multiply(w.matrix, x, n, whole, 0, 70);
            float[] part = new float[n * 40];
            multiply(w.matrix.slice(5, 45), x, n, part, 0, 40); // panels of interleaved rows are cut
            for (int t = 0; t < n; t++) {
                for (int r = 0; r < 40; r++) {
                    assertThat(part[t * 40 + r]).isEqualTo(whole[t * 70 + 5 + r]);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"f32, 4", "f16, 2", "bf16, 2", "q8_0, 1.0625", "q4_0, 0.5625"})
    void slicesShareTheirRowsWithTheWhole(String format, double bytesPerWeight) {
        Stored w = stored(WeightFormat.of(format), 6, 160, new Random(3));
        WeightMatrix slice = w.matrix.slice(2, 5);
        float[] row = new float[152];
        slice.unpack(1, 3, 147, row, 2);
        assertThat(slice.rows()).isEqualTo(3);
        assertThat(slice.byteSize()).isEqualTo((long) (3 * 160 * bytesPerWeight));
        for (int c = 0; c < 147; c++) {
            assertThat(row[2 + c]).isEqualTo(w.values[3 * 160 + 3 + c]);
        }
    }

    @Test
    void everyHalfUnpacksExactly() {
        MemorySegment all = Arena.ofAuto().allocate(2 * 65536);
        for (int h = 0; h < 65536; h++) {
            all.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * h, (short) h);
        }
        float[] halves = new float[65536];
        WeightMatrix.of(DType.F16, all, 1, 65536).unpack(0, 0, 65536, halves, 0);
        float[] brains = new float[65536];
        WeightMatrix.of(DType.BF16, all, 1, 65536).unpack(0, 0, 65536, brains, 0);
        for (int h = 0; h < 65536; h++) {
            float half = Float.float16ToFloat((short) h);
            assertThat(Float.floatToIntBits(halves[h])).isEqualTo(Float.floatToIntBits(half));
            assertThat(Float.floatToIntBits(brains[h])).isEqualTo(Float.floatToIntBits(Float.intBitsToFloat(h << 16)));
        }
    }

    @ParameterizedTest
    @EnumSource(
            names = {"F32", "F16", "BF16"},
            mode = EnumSource.Mode.EXCLUDE)
    void typesThatAreNoWeightsAreRefused(DType dtype) {
        assertThatThrownBy(() -> WeightMatrix.of(dtype, MemorySegment.NULL, 1, 1))
                .hasMessageContaining(dtype.name());
    }
}
