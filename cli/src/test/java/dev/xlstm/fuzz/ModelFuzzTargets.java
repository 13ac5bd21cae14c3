package dev.xlstm.fuzz;

import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.model.CheckpointQuantizer;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Targets for what a model directory and a state file hold: numbers and what describes them. */
final class ModelFuzzTargets {

    private static final List<String> CONFIG_WORDS = List.of(
            "hidden_size",
            "embedding_dim",
            "num_hidden_layers",
            "num_blocks",
            "num_heads",
            "qk_dim_factor",
            "v_dim_factor",
            "ffn_proj_factor",
            "ffn_round_up_to_multiple_of",
            "vocab_size",
            "gate_soft_cap",
            "output_logit_soft_cap",
            "norm_eps",
            "eps",
            "chunk_size",
            "use_bias",
            "tie_word_embeddings",
            "add_out_norm",
            "weight_mode",
            "fused",
            "model_type",
            "xlstm",
            "architectures",
            "bos_token_id",
            "eos_token_id",
            "force_bos_token_insert",
            "context_length",
            "torch_dtype",
            "slstm_at",
            "mlstm_block",
            "slstm_block",
            "context_length");
    private static final List<String> HEADER_WORDS = List.of(
            "__metadata__",
            "dtype",
            "shape",
            "data_offsets",
            "F32",
            "F16",
            "BF16",
            "I8",
            "U8",
            "I64",
            "F64",
            "BOOL",
            "layers.0.c",
            "layers.0.n",
            "layers.0.m",
            "waiting",
            "logits",
            "format",
            "version",
            "tokens",
            "text.recent",
            "text.pending",
            "text.held",
            "sampling.seed",
            "sampler.random",
            "1",
            "lm_head.weight");

    private final Path data; // test-data
    private final Path work; // for files under test

    private ModelFuzzTargets(Path data, Path work) {
        this.data = data;
        this.work = work;
    }

    static List<FuzzTarget> all(Path data, Path work) throws IOException {
        ModelFuzzTargets made = new ModelFuzzTargets(data, work);
        return List.of(made.safetensors(), made.index(), made.config(), made.model(), made.state());
    }

    private FuzzTarget safetensors() throws IOException {
        Path file = directory("safetensors").resolve("x.safetensors");
        return new FuzzTarget(
                "safetensors",
                List.of(fixture("kernel-cell/golden.safetensors")),
                new SafetensorsMutator(HEADER_WORDS, false),
                input -> {
                    Files.write(file, input);
                    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
                        long last = 0;
                        for (Tensor tensor : opened.tensors().values()) {
                            long size = tensor.data().byteSize();
                            last += size == 0 ? 0 : tensor.data().get(ValueLayout.JAVA_BYTE, size - 1);
                        }
                        FuzzTargets.check(last >= Long.MIN_VALUE, "every tensor's last byte can be read");
                    }
                });
    }

    private FuzzTarget index() throws IOException {
        Path directory = directory("index");
        for (int i = 1; i <= 3; i++) {
            String shard = "model-0000" + i + "-of-00003.safetensors";
            FuzzTargets.copy(
                    directory.resolve(shard),
                    data.resolve("fixtures/tiny-bf16-sharded").resolve(shard));
        }
        return new FuzzTarget(
                "index",
                List.of(fixture("tiny-bf16-sharded/model.safetensors.index.json")),
                new JsonMutator(List.of(
                        "weight_map",
                        "metadata",
                        "total_size",
                        "../x",
                        "/etc/passwd",
                        "..",
                        ".",
                        "a/../../b",
                        "/dev/zero",
                        "model-00001-of-00003.safetensors",
                        "model-00002-of-00003.safetensors",
                        "C:\\x",
                        "~",
                        "lm_head.weight")),
                input -> {
                    Files.write(directory.resolve("model.safetensors.index.json"), input);
                    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
                        for (Path file : checkpoint.files()) {
                            FuzzTargets.check(file.normalize().startsWith(directory), "shards are in the directory");
                        }
                    }
                });
    }

    private FuzzTarget config() throws IOException {
        Path directory = directory("config");
        FuzzTargets.copy(directory.resolve("model.safetensors"), data.resolve("fixtures/tiny-f32/model.safetensors"));
        return new FuzzTarget(
                "config",
                List.of(
                        fixture("tiny-f32/config.json"),
                        fixture("tiny-nxai/config.json"),
                        fixture("tiny-fused/config.json"),
                        Files.readAllBytes(data.resolve("demo-model/config.json"))),
                new JsonMutator(CONFIG_WORDS),
                input -> {
                    Files.write(directory.resolve("config.json"), input);
                    try (TextModel model = TextModel.open(directory)) {
                        FuzzTargets.speak(model);
                    }
                });
    }

    /** Weights, stored and quantised: whatever they hold, the model is refused or computes without a crash. */
    private FuzzTarget model() throws IOException {
        Path directory = directory("model");
        FuzzTargets.copy(directory.resolve("config.json"), data.resolve("fixtures/tiny-f32/config.json"));
        List<byte[]> seeds = new ArrayList<>(List.of(fixture("tiny-f32/model.safetensors")));
        for (WeightFormat format : WeightFormat.quantized()) {
            Path quantized = work.resolve(format.toString());
            try (ModelDirectory source = ModelDirectory.open(data.resolve("fixtures/tiny-f32"))) {
                CheckpointQuantizer.quantize(source, quantized, format, (done, all) -> {});
            }
            seeds.add(Files.readAllBytes(quantized.resolve("model.safetensors")));
        }
        return new FuzzTarget("model", seeds, new SafetensorsMutator(HEADER_WORDS, false), input -> {
            Files.write(directory.resolve("model.safetensors"), input);
            try (TextModel model = TextModel.open(directory)) {
                FuzzTargets.speak(model);
            }
        });
    }

    private FuzzTarget state() throws IOException {
        TextModel model = TextModel.open(data.resolve("fixtures/tiny-f32"));
        Path file = directory("state").resolve("x.state");
        List<byte[]> seeds = new ArrayList<>();
        try (TextSession session = model.newSession()) {
            session.feed(1, 2, 3);
            session.save(file, DType.F32);
            seeds.add(Files.readAllBytes(file));
            session.generate(GenerationOptions.defaults().withMaxTokens(5), new GenerationListener() {});
            session.save(file, DType.BF16);
            seeds.add(Files.readAllBytes(file));
        }
        return new FuzzTarget("state", seeds, new SafetensorsMutator(HEADER_WORDS, true), input -> {
            Files.write(file, input);
            try (TextSession session = model.resume(file)) {
                session.generate(GenerationOptions.defaults().withMaxTokens(2), new GenerationListener() {});
            }
        });
    }

    private byte[] fixture(String name) throws IOException {
        return Files.readAllBytes(data.resolve("fixtures").resolve(name));
    }

    private Path directory(String name) throws IOException {
        return Files.createDirectories(work.resolve(name));
    }
}
