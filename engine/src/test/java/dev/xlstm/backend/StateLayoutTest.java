package dev.xlstm.backend;

import dev.xlstm.backend.StateLayout.Part;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.XlstmConfig;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class StateLayoutTest {

    /** Blocks mLSTM, sLSTM, mLSTM: 4 heads of 32 in the first, 64 units in the second, convolutions over 4 tokens. */
    @Test
    void partsOfAllBlocksLieOneAfterAnother() throws Exception {
        try (GoldenFixture golden = new GoldenFixture("blocks-step-long");
                ModelDirectory directory = ModelDirectory.open(golden.directory)) {
            XlstmConfig config = directory.weights().config();
            StateLayout layout = StateLayout.of(config);
            List<Part> parts = layout.parts();
            assertThat(parts.subList(0, 6))
                    .extracting(Part::fullName)
                    .containsExactly(
                            "layers.0.c", "layers.0.n", "layers.0.m", "layers.0.conv", "layers.1.y", "layers.1.c");
            assertThat(parts.subList(0, 6))
                    .extracting(Part::offset)
                    .containsExactly(
                            0L,
                            4L * 4 * 32 * 32,
                            4L * 4 * 32 * 33,
                            4L * 4 * (32 * 33 + 1),
                            4L * (4 * (32 * 33 + 1) + 3 * 128),
                            4L * (4 * (32 * 33 + 1) + 3 * 128 + 64));
            assertThat(layout.byteSize())
                    .isEqualTo(parts.getLast().offset() + parts.getLast().byteSize())
                    .isEqualTo(config.stateBytes());
            assertThat(parts.get(0).isMatrixMemory()).isTrue();
            assertThat(parts)
                    .filteredOn(Part::isMatrixMemory)
                    .allMatch(part -> part.name().equals("c"));
            assertThat(layout.index(1, "c")).isEqualTo(5);
            assertThat(layout.index(0, "y")).isEqualTo(-1);
        }
    }
}
