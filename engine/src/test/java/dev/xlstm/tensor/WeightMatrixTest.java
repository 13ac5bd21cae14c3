package dev.xlstm.tensor;

import dev.xlstm.safetensors.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

/** Every format's kernels against plain loops in double precision over the same stored bytes. */
class WeightMatrixTest {

    /** Random weights in a format, at an odd byte offset as files may have them, and their exact values. */
    private static final class Stored {
        final int rows;
        final int columns;
        final MemorySegment data;
        final float[] values;
        final WeightMatrix matrix;

        Stored(DType dtype, int rows, int columns, Random random) {
            this.rows = rows;
            this.columns = columns;
            long bytes = (long) rows * columns * dtype.byteSize();
            data = Arena.ofAuto().allocate(bytes + 1).asSlice(1);
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

    private static float[] gaussians(int n, Random random) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    @ParameterizedTest
    @CsvSource({
        "F32, 1, 1",
        "F32, 7, 33",
        "F32, 20, 4100",
        "F16, 1, 1",
        "F16, 7, 33",
        "F16, 20, 4100",
        "BF16, 1, 1",
        "BF16, 7, 33",
        "BF16, 20, 4100",
        "F32, 16, 2048",
        "BF16, 35, 96"
    })
    void multipliesLikePlainLoops(DType dtype, int rows, int columns) {
        Random random = new Random(rows * 31L + columns);
        Stored w = new Stored(dtype, rows, columns, random);
        for (int n : new int[] {1, 2, 4, 7, 9}) {
            float[] x = gaussians(n * columns, random);
            float[] y = new float[n * rows];
            java.util.Arrays.fill(y, Float.NaN);
            w.matrix.multiply(x, n, y, 0, rows, new float[WeightMatrix.PANEL_FLOATS]);
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
                    assertThat((double) y[t * rows + r])
                            .as("n %d row %d", n, r)
                            .isCloseTo(exact, within(magnitude * 0x1p-20 + 1e-30));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32", "F16", "BF16"})
    void stretchesOfRowsGiveTheBitsOfTheWhole(DType dtype) {
        Random random = new Random(5);
        Stored w = new Stored(dtype, 48, 2100, random);
        float[] panel = new float[WeightMatrix.PANEL_FLOATS];
        for (int n : new int[] {1, 6}) {
            float[] x = gaussians(n * 2100, random);
            float[] whole = new float[n * 48];
            w.matrix.multiply(x, n, whole, 0, 48, panel);
            float[] pieces = new float[n * 48];
            w.matrix.multiply(x, n, pieces, 32, 48, panel);
            w.matrix.multiply(x, n, pieces, 0, 32, panel);
            assertThat(pieces).isEqualTo(whole);
        }
    }

    @ParameterizedTest
    @CsvSource({"F32", "F16", "BF16"})
    void slicesShareTheirRowsWithTheWhole(DType dtype) {
        Stored w = new Stored(dtype, 6, 40, new Random(3));
        WeightMatrix slice = w.matrix.slice(2, 5);
        float[] row = new float[42];
        slice.unpack(1, 3, 37, row, 2);
        assertThat(slice.rows()).isEqualTo(3);
        assertThat(slice.byteSize()).isEqualTo(3L * 40 * dtype.byteSize());
        for (int c = 0; c < 37; c++) {
            assertThat(row[2 + c]).isEqualTo(w.values[3 * 40 + 3 + c]);
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
