package dev.xlstm.tornado;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.model.ModelDirectory;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LongRunTest {

    @Test
    @DisplayName("10,000 ids in chunks of any length and single steps: as near to the CPU at the end as at the start")
    void noDriftFromTheCpu() throws Exception {
        try (GoldenFixture golden = new GoldenFixture("tiny-f32");
                ModelDirectory directory = ModelDirectory.open(golden.directory);
                LoadedModel gpu = new GpuBackend().load(directory.weights(), 1);
                LoadedModel cpu = new CpuBackend().load(directory.weights(), 1);
                State onGpu = gpu.newState();
                State onCpu = cpu.newState()) {
            int vocab = gpu.config().vocabSize();
            Random random = new Random(1);
            int[] ids = random.ints(10_000, 0, vocab).toArray();
            float[] a = new float[vocab];
            float[] b = new float[vocab];
            for (int from = 0; from < ids.length; ) {
                int to = Math.min(ids.length, from + (random.nextInt(4) > 0 ? 1 : 1 + random.nextInt(gpu.maxRows())));
                gpu.forward(new Batch().add(onGpu, ids, from, to, Logits.LAST), a);
                cpu.forward(new Batch().add(onCpu, ids, from, to, Logits.LAST), b);
                float worst = 0;
                for (int i = 0; i < vocab; i++) {
                    float difference = Math.abs(a[i] - b[i]);
                    worst = difference <= worst ? worst : difference;
                }
                assertThat(worst).as("after %d ids", to).isLessThanOrEqualTo(2 * golden.logitTolerance());
                from = to;
            }
        }
    }
}
