package dev.xlstm.model;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.GoldenFixture;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.generation.TextModel;
import dev.xlstm.model.PublicLayout.Stored;
import dev.xlstm.safetensors.DType;
import dev.xlstm.tensor.WeightFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.model.PublicLayout.LARGE;
import static dev.xlstm.model.PublicLayout.MIXED;
import static dev.xlstm.model.PublicLayout.TIED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** The layouts of public checkpoints, each made of a fixture: the model must write what the fixture writes, or be refused. */
class PublicCheckpointsTest {

    @TempDir
    Path directory;

    private interface Change {
        PublicLayout apply(PublicLayout layout) throws Exception;
    }

    private static Arguments same(String name, String fixture, Change change) {
        return Arguments.of(name, fixture, change);
    }

    private static String laterDistil(String name) {
        return name.startsWith("lm_head")
                ? name
                : name.replace("token_embedding.", "xlstm.embedding.").replace("xlstm_block_stack.", "xlstm.backbone.");
    }

    private static final Map<String, Object> TRANSFORMERS =
            Map.of("architectures", List.of("xLSTMForCausalLM"), "model_type", "xlstm");

    static Stream<Arguments> layouts() {
        return Stream.of(
                same("both names of the depth", LARGE, m -> m.with("num_hidden_layers", 32)),
                same("both names of the width", LARGE, m -> m.with("hidden_size", 4096)),
                same("model_type in capitals", LARGE, m -> m.with("model_type", "xLSTM")),
                same("dtype in place of torch_dtype", LARGE, m -> m.with("dtype", "float32")),
                same("tied by the config, with a head", LARGE, m -> m.with("tie_word_embeddings", true)),
                same("a run of the scaling laws", LARGE, m -> {
                    m.config.keySet().removeIf(k -> k.matches("(bos|eos|pad)_token_id|architectures|torch_dtype"));
                    m.weightsName = "model_0.safetensors";
                    return m;
                }),
                same("torch.compile, large", LARGE, m -> m.renamed(n -> "_orig_mod." + n)),
                same(
                        "torch.compile of each block",
                        LARGE,
                        m -> m.renamed(n -> n.replaceAll("blocks\\.(\\d+)\\.", "blocks.$1._orig_mod."))),
                same("prefix model., large", LARGE, m -> m.renamed(n -> "model." + n)),
                same("chain of prefixes, large", LARGE, m -> m.renamed(n -> "module.model._orig_mod." + n)),
                same(
                        "NX-AI's names with a prefix",
                        LARGE,
                        m -> m.renamed(n -> "model." + n.replace("backbone.embeddings", "embedding"))),
                same("a config around large", LARGE, m -> m.wrapped("model_config", Map.of("name", "x"))),
                same("torch.compile, blocks", MIXED, m -> m.renamed(n -> "_orig_mod." + n)),
                same("distributed training, blocks", MIXED, m -> m.renamed(n -> "module." + n)),
                same("prefix backbone.", MIXED, m -> m.renamed(n -> "backbone." + n)),
                same("xlstm_cfg", MIXED, m -> m.wrapped("xlstm_cfg", TRANSFORMERS)),
                same(
                        "xlstm_config, later names",
                        MIXED,
                        m -> m.renamed(PublicCheckpointsTest::laterDistil).wrapped("xlstm_config", TRANSFORMERS)),
                same(
                        "a wrapper in a wrapper",
                        MIXED,
                        m -> m.wrapped("xlstm_config", Map.of()).wrapped("model", Map.of("training", Map.of("lr", 1)))),
                same(
                        "YAML of an experiment",
                        MIXED,
                        m -> m.wrapped("model", Map.of("training", Map.of("model_name", "x")))
                                .inYaml()),
                same("wrapped, tied by the code, no head", TIED, m -> {
                    m.config.remove("tie_weights");
                    return m.without("lm_head.weight")
                            .renamed(n -> "model." + n)
                            .wrapped("_xlstm_config", TRANSFORMERS);
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("layouts")
    void writesWhatTheFixtureWrites(String name, String fixture, Change change) throws Exception {
        change.apply(new PublicLayout(fixture)).write(directory);
        try (GoldenFixture golden =
                        new GoldenFixture(Path.of(fixture).getFileName().toString());
                ModelDirectory model = ModelDirectory.open(directory)) {
            model.checkAllUsed();
            assertThat(greedy(model, golden.ids("prompt_ids"), golden.ids("continuation_ids").length))
                    .isEqualTo(golden.ids("continuation_ids"));
        }
    }

    /** Converted to f32, the copy has canonical names and a config without wrapper, and writes the same. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("layouts")
    void convertsToACanonicalCheckpoint(String name, String fixture, Change change) throws Exception {
        change.apply(new PublicLayout(fixture)).write(directory.resolve("source"));
        Path target = directory.resolve("target");
        try (ModelDirectory source = ModelDirectory.open(directory.resolve("source"))) {
            source.useTokenizer(DEMO.toString());
            CheckpointQuantizer.quantize(source, target, WeightFormat.F32, (done, total) -> {});
        }
        try (GoldenFixture golden =
                        new GoldenFixture(Path.of(fixture).getFileName().toString());
                ModelDirectory copy = ModelDirectory.open(target)) {
            Set<String> canonical = new HashSet<>(new PublicLayout(fixture).tensors.keySet());
            assertThat(canonical)
                    .containsAll(copy.checkpoint().tensors().keySet().stream()
                            .map(tensor -> tensor.equals("embedding.weight") ? "backbone.embeddings.weight" : tensor)
                            .toList());
            assertThat(target).isDirectoryContaining("glob:**/tokenizer_config.json");
            assertThat(JsonMapper.shared()
                            .readTree(target.resolve("config.json"))
                            .propertyNames())
                    .contains("embedding_dim");
            copy.checkAllUsed();
            assertThat(greedy(copy, golden.ids("prompt_ids"), golden.ids("continuation_ids").length))
                    .isEqualTo(golden.ids("continuation_ids"));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = WeightFormat.class,
            names = {"F16", "BF16"})
    void convertsToSmallerTypes(WeightFormat format) throws Exception {
        new PublicLayout(MIXED).write(directory.resolve("source"));
        Path target = directory.resolve("target");
        try (ModelDirectory source = ModelDirectory.open(directory.resolve("source"))) {
            CheckpointQuantizer.quantize(source, target, format, (done, total) -> {});
        }
        try (GoldenFixture golden = new GoldenFixture("blocks-mixed");
                ModelDirectory memory = ModelDirectory.open(directory.resolve("source"));
                ModelDirectory copy = ModelDirectory.open(target)) {
            memory.convertTo(format.toString());
            assertThat(logits(copy, golden.ids("prompt_ids")))
                    .containsExactly(logits(memory, golden.ids("prompt_ids")));
        }
    }

    @Test
    void refusesWeightsBeyondFloat16() throws Exception {
        PublicLayout layout = new PublicLayout(LARGE);
        byte[] bytes = layout.tensors.get("lm_head.weight").bytes();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 1e6f);
        layout.write(directory.resolve("source"));
        try (ModelDirectory source = ModelDirectory.open(directory.resolve("source"))) {
            assertThatThrownBy(() -> CheckpointQuantizer.quantize(
                            source, directory.resolve("target"), WeightFormat.F16, (done, total) -> {}))
                    .hasMessage(
                            "tensor 'lm_head.weight', row 0: the weight 1000000.0 is beyond f16; convert to bf16 or f32");
        }
        assertThat(directory.resolve("target")).doesNotExist();
    }

    private static int[] greedy(ModelDirectory directory, int[] prompt, int count) throws Exception {
        int[] ids = new int[count];
        try (LoadedModel model = new CpuBackend().load(directory.weights(), 1);
                State state = model.newState()) {
            float[] logits = logits(model, state, prompt);
            for (int i = 0; i < count; i++) {
                int best = 0;
                for (int id = 1; id < logits.length; id++) {
                    best = logits[id] > logits[best] ? id : best;
                }
                ids[i] = best;
                logits = logits(model, state, best);
            }
        }
        return ids;
    }

    private static float[] logits(LoadedModel model, State state, int... ids) {
        float[] logits = new float[model.config().vocabSize()];
        model.forward(new Batch().add(state, ids, 0, ids.length, Logits.LAST), logits);
        return logits;
    }

    /** As where the vocabulary was changed after training; the head is a linear layer with a bias. */
    @Test
    void addsTheBiasOfTheHead() throws Exception {
        PublicLayout layout = new PublicLayout(MIXED).renamed(n -> "model." + n);
        int vocab = (int) layout.config.get("vocab_size");
        ByteBuffer bias = ByteBuffer.allocate(4 * vocab).order(ByteOrder.LITTLE_ENDIAN);
        for (int id = 0; id < vocab; id++) {
            bias.putFloat(id % 2 == 0 ? 0.5f : -1);
        }
        layout.tensors.put("model.lm_head.bias", new Stored(DType.F32, new long[] {vocab}, bias.array()));
        layout.write(directory);
        try (GoldenFixture golden = new GoldenFixture("blocks-mixed");
                ModelDirectory plain = ModelDirectory.open(golden.directory);
                ModelDirectory biased = ModelDirectory.open(directory)) {
            biased.checkAllUsed();
            float[] expected = logits(plain, golden.ids("prompt_ids"));
            for (int id = 0; id < vocab; id++) {
                expected[id] += id % 2 == 0 ? 0.5f : -1;
            }
            assertThat(logits(biased, golden.ids("prompt_ids"))).containsExactly(expected);
        }
    }

    private static float[] logits(ModelDirectory directory, int[] prompt) throws Exception {
        try (LoadedModel model = new CpuBackend().load(directory.weights(), 1);
                State state = model.newState()) {
            return logits(model, state, prompt);
        }
    }

    // ---- nothing wrong without a word

    @ParameterizedTest
    @ValueSource(
            strings = {
                "backbone.blocks.0.mlstm_layer.q.bias",
                "backbone.blocks.3.norm_ffn.weight",
                "backbone.blocks.0.mlstm_layer.q.lora_A.weight",
                "lm_head.scale",
                "position_embedding.weight",
                "rotary_emb.inv_freq",
                "adapter.down.weight",
            })
    void refusesToWriteWithTensorsThatTheModelDoesNotUse(String tensor) throws Exception {
        PublicLayout layout = new PublicLayout(LARGE);
        layout.tensors.put(tensor, new Stored(DType.F32, new long[] {1}, new byte[4]));
        layout.write(directory);
        assertThatThrownBy(() -> TextModel.open(directory))
                .isInstanceOf(ModelException.class)
                .hasMessageContaining(directory.resolve("model.safetensors")
                        + ": has a tensor that the model does not use: " + tensor);
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.unusedTensors()).containsExactly(tensor);
        }
    }

    /** Whatever its type: types that nothing computes with matter only where a needed tensor has them. */
    @ParameterizedTest
    @ValueSource(strings = {"unused.scale", "value_head.weight", "backbone.causal_mask"})
    void readsModelsWithTensorsBesideTheirs(String tensor) throws Exception {
        PublicLayout layout = new PublicLayout(LARGE);
        layout.tensors.put(tensor, new Stored(DType.F8_E4M3, new long[] {4, 4}, new byte[16]));
        layout.write(directory);
        try (TextModel model = TextModel.open(directory)) {
            assertThat(model.directory().unusedTensors()).containsExactly(tensor);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "F6_E2M3", "C64"})
    void namesTypesThatNothingComputesWith(String type) throws Exception {
        PublicLayout layout = new PublicLayout(LARGE);
        DType dtype = DType.valueOf(type);
        String name = "backbone.blocks.0.mlstm_layer.q.weight";
        long[] shape = layout.tensors.get(name).shape();
        layout.tensors.put(name, new Stored(dtype, shape, new byte[(int) (shape[0] * shape[1] * dtype.bitSize() / 8)]));
        layout.write(directory);
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThatThrownBy(model::weights)
                    .hasMessageContaining(
                            "tensor '" + name + "' is " + type + "; convert matrices to F32, F16 or BF16");
        }
    }

    @Test
    void refusesTwoModelsInOneCheckpoint() throws Exception {
        PublicLayout layout = new PublicLayout(MIXED);
        PublicLayout other = new PublicLayout(MIXED).renamed(n -> "student." + n);
        layout.renamed(n -> "teacher." + n).tensors.putAll(other.tensors);
        layout.write(directory);
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThatThrownBy(model::weights).hasMessageContaining("keep one model in a checkpoint");
        }
    }

    // ---- what a directory is that is no model

    private void refused(String complaint) {
        assertThatThrownBy(() -> {
                    try (ModelDirectory model = ModelDirectory.open(directory)) {
                        model.weights();
                    }
                })
                .hasMessageStartingWith(directory.toString())
                .hasMessageContaining(complaint)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("hf download"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pth", "model.pt", "last.ckpt"})
    void namesTheScriptThatConvertsFilesOfPytorch(String name) throws Exception {
        new PublicLayout(LARGE).write(directory);
        Files.delete(directory.resolve("model.safetensors"));
        Files.write(directory.resolve("training_args.bin"), new byte[9]);
        Files.write(directory.resolve(name), new byte[9]);
        refused("/" + name + ": is a PyTorch file, which can carry code and is not read; convert it to safetensors with"
                + " scripts/convert_checkpoint.py");
        assertThatThrownBy(() -> ModelDirectory.open(directory.resolve(name).toString()))
                .hasMessageContaining("scripts/convert_checkpoint.py");
        Files.delete(directory.resolve("config.json"));
        refused("is a PyTorch file");
    }

    @Test
    void namesAdaptersAndTheirBase() throws Exception {
        Files.writeString(
                directory.resolve("adapter_config.json"),
                "{\"base_model_name_or_path\":\"NX-AI/xLSTM-7b\",\"peft_type\":\"LORA\"}");
        Files.write(directory.resolve("adapter_model.safetensors"), new byte[9]);
        refused(": is an adapter of NX-AI/xLSTM-7b, not a model; take a merged model, or merge the two with"
                + " scripts/convert_checkpoint.py");
    }

    @Test
    void namesOtherFormats() throws Exception {
        Files.write(directory.resolve("m.Q4_K.gguf"), "GGUF".getBytes());
        refused("/m.Q4_K.gguf: is a GGUF file, which is not read");
        assertThatThrownBy(() ->
                        ModelDirectory.open(directory.resolve("m.Q4_K.gguf").toString()))
                .hasMessageContaining("is a GGUF file");
        Files.delete(directory.resolve("m.Q4_K.gguf"));
        Files.write(directory.resolve("flax_model.msgpack"), new byte[9]);
        refused("/flax_model.msgpack: holds weights in a format that is not read");
    }

    @Test
    void namesTheDirectoriesThatHoldWeights() throws Exception {
        new PublicLayout(MIXED).wrapped("model", Map.of()).inYaml().write(directory);
        new PublicLayout(MIXED).inYaml().write(directory.resolve("checkpoint-10-last"));
        Files.delete(directory.resolve("model.safetensors"));
        refused(
                "holds no weights: no model.safetensors, no model.safetensors.index.json, no model_0.safetensors; name a"
                        + " directory in it that has: checkpoint-10-last");
        Files.delete(directory.resolve("config.yaml"));
        refused("has no config.json and no config.yaml; name a directory in it that has: checkpoint-10-last");
    }

    @Test
    void namesLinksThatLeadNowhere() throws Exception {
        new PublicLayout(LARGE).write(directory);
        Path weights = directory.resolve("model.safetensors");
        Files.delete(weights);
        Files.createSymbolicLink(weights, Path.of("../blobs/0123"));
        refused("/model.safetensors: is a link to ../blobs/0123, which does not exist; fetch the file again");
        Path snapshot = Files.createDirectories(directory.resolve("models--a--b/snapshots/0123"));
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs/4567"));
        assertThatThrownBy(() -> ModelDirectory.open(snapshot))
                .hasMessage(
                        snapshot.resolve("config.json")
                                + ": is a link to ../../blobs/4567, which does not exist; fetch the model again: hf download a/b");
    }

    // ---- tokenizers from elsewhere

    private static final Path DEMO = Path.of("../test-data/demo-model");

    @Test
    void takesTheTokenizerFromElsewhereAndBeginsWithBos() throws Exception {
        PublicLayout layout = new PublicLayout(LARGE);
        layout.config.keySet().removeIf(k -> k.matches("(bos|eos|pad)_token_id"));
        layout.write(directory);
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.tokenizer()).isEmpty();
            assertThat(model.specialTokens().prependBos()).isFalse();
            assertThat(model.noTokenizer()).contains("--tokenizer");
            for (Path source : List.of(DEMO, DEMO.resolve("tokenizer.json"))) {
                model.useTokenizer(source.toString());
                assertThat(model.tokenizer()).isPresent();
                assertThat(model.specialTokens().prependBos()).isTrue();
                assertThat(model.specialTokens().bos()).hasValue(0);
            }
            assertThatThrownBy(() -> model.useTokenizer(directory.toString()))
                    .hasMessageContaining("no such tokenizer; name a tokenizer.json or a directory that has one");
        }
        Files.copy(DEMO.resolve("tokenizer.json"), directory.resolve("tokenizer.json"));
        Files.writeString(directory.resolve("tokenizer_config.json"), "{\"add_bos_token\":false}");
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.specialTokens().prependBos()).isFalse();
        }
    }

    /** A stack of blocks was not trained with a leading bos. */
    @Test
    void onlyLargeModelsBeginWithBosByDefault() throws Exception {
        new PublicLayout(MIXED).write(directory);
        Files.copy(DEMO.resolve("tokenizer.json"), directory.resolve("tokenizer.json"));
        try (ModelDirectory model = ModelDirectory.open(directory)) {
            assertThat(model.tokenizer()).isPresent();
            assertThat(model.specialTokens().prependBos()).isFalse();
        }
    }

    @Test
    void aTokenizerThatCannotBeUsedStopsOnlyWhatNeedsText() throws Exception {
        new PublicLayout(LARGE).write(directory);
        Files.writeString(
                directory.resolve("tokenizer.json"), "{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]]}}");
        try (TextModel model = TextModel.open(directory)) {
            assertThat(model.tokenizer()).isEmpty();
            assertThatThrownBy(() -> model.encodePrompt("a"))
                    .rootCause()
                    .hasMessageContaining("tokenizer.json: model.type: \"Unigram\" is not supported");
        }
    }

    @Test
    void saysThatATokenizerIsInTheDirectoryAbove() throws Exception {
        Path run = directory.resolve("checkpoint-1");
        new PublicLayout(MIXED).write(run);
        Files.copy(DEMO.resolve("tokenizer.json"), directory.resolve("tokenizer.json"));
        try (TextModel model = TextModel.open(run)) {
            assertThatThrownBy(() -> model.encodePrompt("a"))
                    .hasMessageContaining("has no tokenizer.json")
                    .hasMessageContaining("--tokenizer " + directory);
        }
        assertThat(Arrays.asList(run.toFile().list())).doesNotContain("tokenizer.json");
    }
}
