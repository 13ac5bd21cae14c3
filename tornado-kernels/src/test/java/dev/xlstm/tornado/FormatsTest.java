package dev.xlstm.tornado;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.bench.RandomWeights;
import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.tensor.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Whole models in every format, against the CPU with the same weights. */
class FormatsTest {

    /** Two blocks, in a shape that no size of a workgroup divides. */
    private static final XlstmConfig CONFIG = new XlstmConfig(
            96,
            301,
            Collections.nCopies(2, new BlockConfig.Large(3, 48, 96, 160, 15, 1e-6f, false)),
            XlstmConfig.NormKind.RMS,
            1e-6f,
            true,
            false,
            30,
            64);

    @Test
    void otherBlocksAreLeftToTheCpu() {
        try (Arena arena = Arena.ofShared()) {
            BlockConfig block = new BlockConfig.Mlstm(2, 64, 4, 4, false);
            XlstmConfig stack =
                    new XlstmConfig(32, 10, List.of(block), XlstmConfig.NormKind.LAYER, 1e-5f, true, false, 0, 64);
            XlstmWeights weights = RandomWeights.create(stack, WeightFormat.F32, arena);
            assertThatThrownBy(() -> new GpuBackend().load(weights, 1))
                    .isInstanceOf(DoesNotFitException.class)
                    .hasMessageContaining("--backend cpu");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "f16", "bf16", "q8_0", "q4_0"})
    void logitsAreThoseOfTheCpu(String format) {
        try (Arena arena = Arena.ofShared()) {
            XlstmWeights weights = RandomWeights.create(CONFIG, WeightFormat.of(format), arena);
            try (LoadedModel gpu = new GpuBackend().load(weights, 1);
                    LoadedModel cpu = new CpuBackend().load(weights, 1);
                    State onGpu = gpu.newState();
                    State onCpu = cpu.newState()) {
                int perBlock =
                        format.startsWith("q") ? 7 : 6; // gates stay as they are, and are multiplied on their own
                assertThat(((GpuModel) gpu).launchesPerStep()).isEqualTo(perBlock * CONFIG.numLayers() + 2);
                int[] ids = new Random(1).ints(60, 0, CONFIG.vocabSize()).toArray();
                float[] a = new float[50 * CONFIG.vocabSize()];
                float[] b = new float[50 * CONFIG.vocabSize()];
                gpu.forward(new Batch().add(onGpu, ids, 0, 50, Logits.ALL), a);
                cpu.forward(new Batch().add(onCpu, ids, 0, 50, Logits.ALL), b);
                assertClose(a, b);
                for (int i = 50; i < ids.length; i++) {
                    gpu.forward(new Batch().add(onGpu, ids, i, i + 1, Logits.LAST), a);
                    cpu.forward(new Batch().add(onCpu, ids, i, i + 1, Logits.LAST), b);
                    assertClose(a, b);
                }
            }
        }
    }

    /** Two float32 runs over the same weights: 1e-3 of the largest logit is far above their error, far below a mistake. */
    private static void assertClose(float[] actual, float[] expected) {
        float largest = 0;
        float worst = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            float difference = Math.abs(actual[i] - expected[i]);
            worst = difference <= worst ? worst : difference;
        }
        assertThat(largest).isGreaterThan(0);
        assertThat(worst / largest).isLessThan(1e-3f);
    }

    @Test
    void bf16RowsKeepEveryWeightWithin33OctavesOfTheLargest() {
        Random random = new Random(1);
        for (int round = 0; round < 1000; round++) {
            int exponent = random.nextInt(200) - 90; // of the largest
            float[] row = new float[64];
            for (int i = 0; i < row.length; i++) {
                int bits = Float.floatToIntBits(Math.scalb(1 + random.nextFloat(), exponent - random.nextInt(34))
                        * (1 - 2 * random.nextInt(2)));
                row[i] = Float.intBitsToFloat(bits & 0xffff0000);
            }
            row[0] = Float.intBitsToFloat(Float.floatToIntBits(Math.scalb(1.5f, exponent)) & 0xffff0000);
            float scale = DeviceMatrix.halfScale(row);
            for (float w : row) {
                float held = Float.float16ToFloat(Float.floatToFloat16(w / scale)) * scale;
                if (Math.getExponent(w) >= exponent - 32) {
                    assertThat(held).isEqualTo(w);
                } else {
                    assertThat(Math.abs(held - w)).isLessThanOrEqualTo(Math.scalb(1f, exponent - 40));
                }
            }
        }
    }
}
