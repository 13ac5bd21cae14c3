package dev.xlstm.fuzz;

import dev.xlstm.generation.TextModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Targets for the original models: their configs, as JSON and as YAML, and their weights. */
final class StackFuzzTargets {

    private static final List<String> WORDS = List.of(
            "embedding_dim",
            "num_blocks",
            "vocab_size",
            "context_length",
            "mlstm_block",
            "slstm_block",
            "mlstm",
            "slstm",
            "slstm_at",
            "all",
            "bias",
            "tie_weights",
            "add_post_blocks_norm",
            "conv1d_kernel_size",
            "qkv_proj_blocksize",
            "num_heads",
            "proj_factor",
            "round_proj_up_dim_up",
            "round_proj_up_to_multiple_of",
            "feedforward",
            "act_fn",
            "gelu",
            "group_norm_weight",
            "_xlstm_config",
            "model",
            "${vocab_size}",
            "${a.b.c}");

    private static final String YAML = """
            model:
              num_blocks: 4
              embedding_dim: 96
              vocab_size: ${dataset.vocab_size}
              bias: true
              slstm_at: [1, 3]
              mlstm_block:
                mlstm: {num_heads: 4, qkv_proj_blocksize: 8, proj_factor: 1.25}
              slstm_block:
                slstm: {num_heads: 2}
                feedforward: &ffn
                  bias: true
                  round_proj_up_to_multiple_of: 16
            dataset:
              vocab_size: 280
              list: [a, "b", 'c', ~, 1e3, 0x10, *ffn]
            """;

    private StackFuzzTargets() {}

    static List<FuzzTarget> all(Path data, Path work) throws IOException {
        Path mixed = data.resolve("fixtures-blocks/blocks-mixed");
        byte[] config = Files.readAllBytes(mixed.resolve("config.json"));
        byte[] weights = Files.readAllBytes(mixed.resolve("model.safetensors"));
        List<String> yamlWords = List.of(
                "[",
                "]",
                "{",
                "}",
                ": ",
                "- ",
                "&a ",
                "*a",
                "!!str ",
                "|\n",
                "? ",
                "---\n",
                "...\n",
                "<<: ",
                "\t",
                "#",
                "\"",
                "'",
                "${model}",
                "1e999",
                ".nan",
                "[[[[[[[[",
                "\n  ");
        return List.of(
                target(
                        "config-stack",
                        config,
                        new JsonMutator(WORDS),
                        work,
                        "config.json",
                        weights,
                        "model.safetensors"),
                target(
                        "config-yaml",
                        YAML.getBytes(StandardCharsets.UTF_8),
                        Mutator.text(yamlWords),
                        work,
                        "config.yaml",
                        weights,
                        "model.safetensors"),
                target(
                        "model-stack",
                        weights,
                        new SafetensorsMutator(
                                List.of(
                                        "xlstm_block_stack.blocks.1.xlstm.slstm_cell._recurrent_kernel_",
                                        "xlstm_block_stack.blocks.0.xlstm.q_proj.weight",
                                        "model."),
                                false),
                        work,
                        "model.safetensors",
                        config,
                        "config.json"));
    }

    /** A model of which one file is tried and the other stays. */
    private static FuzzTarget target(
            String name, byte[] seed, Mutator mutator, Path work, String tried, byte[] other, String otherName)
            throws IOException {
        Path directory = Files.createDirectories(work.resolve(name));
        Files.write(directory.resolve(otherName), other);
        return new FuzzTarget(name, List.of(seed), mutator, input -> {
            Files.write(directory.resolve(tried), input);
            try (TextModel model = TextModel.open(directory)) {
                FuzzTargets.speak(model);
            }
        });
    }
}
