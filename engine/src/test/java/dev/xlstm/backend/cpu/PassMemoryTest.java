package dev.xlstm.backend.cpu;

import com.sun.management.ThreadMXBean;
import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.bench.RandomWeights;
import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.tensor.Vectors;
import dev.xlstm.tensor.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.Collections;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** What a large pass takes from the heap must not grow with the number of layers: these share their activations. */
class PassMemoryTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @BeforeEach
    void allocateNoVectors() {
        Vectors.force(false); // until it is compiled, a vector is an object
    }

    @AfterEach
    void useWhatIsFaster() {
        Vectors.force(null);
    }

    @ParameterizedTest
    @ValueSource(strings = {"f32", "q4_0"})
    void layersShareTheirActivations(String format) {
        long few = firstPass(format, 2);
        long many = firstPass(format, 14);
        long widest = 4L * CpuModel.MAX_ROWS * 96;
        assertThat(few).isGreaterThan(widest);
        assertThat(many - few).isLessThan(widest);
    }

    /** Bytes allocated by the first pass of as many rows as there can be. */
    private static long firstPass(String format, int layers) {
        BlockConfig block = new BlockConfig.Large(2, 32, 64, 96, 15, 1e-6f, false);
        XlstmConfig config = new XlstmConfig(
                64, 64, Collections.nCopies(layers, block), XlstmConfig.NormKind.RMS, 1e-6f, true, false, 30, 64);
        try (Arena arena = Arena.ofConfined();
                LoadedModel model = new CpuModel(RandomWeights.create(config, WeightFormat.of(format), arena), 1);
                State state = model.newState()) {
            Batch batch = new Batch();
            batch.add(state, new int[CpuModel.MAX_ROWS], 0, CpuModel.MAX_ROWS, Logits.LAST);
            float[] logits = new float[config.vocabSize()];
            long before = THREADS.getCurrentThreadAllocatedBytes();
            model.forward(batch, logits);
            return THREADS.getCurrentThreadAllocatedBytes() - before;
        }
    }
}
