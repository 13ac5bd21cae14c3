package dev.xlstm.model;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Every published way to store a model loads, with the dimensions its golden.json gives. */
class FixtureWeightsTest {

    static final Path FIXTURES = Path.of("..", "test-data", "fixtures");

    @ParameterizedTest
    @CsvSource({
        // name, H, L, NH, QK, VD, U, V, chunk
        "tiny-f32, 64, 3, 4, 32, 64, 192, 256, 16",
        "tiny-bf16-sharded, 128, 2, 8, 64, 128, 384, 256, 64",
        "tiny-f16, 96, 2, 3, 48, 96, 256, 517, 32",
        "tiny-fused, 64, 2, 2, 32, 64, 192, 256, 16",
        "tiny-nxai, 64, 2, 4, 32, 64, 192, 256, 16",
        "tiny-long, 64, 2, 4, 32, 64, 192, 256, 64",
        "tiny-bias, 64, 2, 2, 16, 96, 112, 256, 16",
        "tiny-tied, 64, 2, 4, 32, 64, 192, 300, 16",
        "tiny-extreme, 64, 3, 4, 32, 64, 192, 256, 16",
    })
    void loadsEveryFixture(String name, int hidden, int layers, int heads, int qk, int v, int ffn, int vocab, int chunk)
            throws Exception {
        try (ModelDirectory model = ModelDirectory.open(FIXTURES.resolve(name))) {
            XlstmConfig config = model.config();
            assertThat(config.hiddenSize()).isEqualTo(hidden);
            assertThat(config.numLayers()).isEqualTo(layers);
            BlockConfig.Large block = config.large().orElseThrow();
            assertThat(block.numHeads()).isEqualTo(heads);
            assertThat(block.qkSize()).isEqualTo(qk);
            assertThat(block.vSize()).isEqualTo(v);
            assertThat(block.ffnSize()).isEqualTo(ffn);
            assertThat(config.vocabSize()).isEqualTo(vocab);
            assertThat(config.chunkSize()).isEqualTo(chunk);

            XlstmWeights weights = model.weights();
            assertThat(weights.blocks()).hasSize(layers);
            assertThat(weights.head().matrix() == weights.embedding()).isEqualTo(name.equals("tiny-tied"));
            assertThat(weights.blocks().getFirst().linears().getFirst().bias() != null)
                    .isEqualTo(name.equals("tiny-bias"));
            assertThat(model.unusedTensors()).isEmpty();
            long stored = model.checkpoint().tensors().values().stream()
                    .mapToLong(tensor -> tensor.elementCount())
                    .sum();
            assertThat(weights.parameterCount()).isEqualTo(stored);
        }
    }

    /** Stacks of mLSTM and sLSTM blocks: every weight of the file finds its place, once. */
    @ParameterizedTest
    @CsvSource({
        // name, E, kinds of the blocks
        "blocks-mixed, 96, mLSTM sLSTM mLSTM sLSTM",
        "blocks-mlstm, 64, mLSTM mLSTM mLSTM",
        "blocks-slstm, 64, sLSTM sLSTM",
        "blocks-step-long, 64, mLSTM sLSTM mLSTM",
        "blocks-tied, 64, sLSTM mLSTM sLSTM mLSTM",
    })
    void loadsEveryStackOfBlocks(String name, int width, String kinds) throws Exception {
        Path directory = FIXTURES.resolveSibling("fixtures-blocks").resolve(name);
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.config().hiddenSize()).isEqualTo(width);
            assertThat(model.config().blocks()).extracting(BlockConfig::kind).containsExactly(kinds.split(" "));
            assertThat(model.config().large()).isEmpty();
            XlstmWeights weights = model.weights();
            assertThat(weights.head().matrix() == weights.embedding()).isEqualTo(name.equals("blocks-tied"));
            assertThat(model.unusedTensors()).isEmpty();
            long stored = model.checkpoint().tensors().values().stream()
                    .mapToLong(tensor -> tensor.elementCount())
                    .sum();
            assertThat(weights.parameterCount()).isEqualTo(stored);
        }
    }
}
