package dev.xlstm.fuzz;

import dev.xlstm.chat.ChatTemplate;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.Transcript;
import dev.xlstm.chat.TreeDrawing;
import dev.xlstm.cli.CliFuzzTargets;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.grammar.GrammarMask;
import dev.xlstm.grammar.TokenTrie;
import dev.xlstm.jinja.Strftime;
import dev.xlstm.jinja.Template;
import dev.xlstm.model.CheckpointQuantizer;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.tokenizer.Encoder;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/** Every reader of what comes from outside. */
final class FuzzTargets {

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
    private static final List<String> TOKENIZER_WORDS = List.of(
            "type",
            "Sequence",
            "Split",
            "ByteLevel",
            "Digits",
            "Regex",
            "String",
            "pattern",
            "behavior",
            "Isolated",
            "MergedWithPrevious",
            "MergedWithNext",
            "Removed",
            "Contiguous",
            "invert",
            "use_regex",
            "add_prefix_space",
            "TemplateProcessing",
            "SpecialToken",
            "single",
            "ids",
            "NFC",
            "normalizers",
            "pretokenizers",
            "vocab",
            "merges",
            "Ġ",
            "Ġt",
            "(a+)+$",
            "(?:a|aa)*b",
            "\\p{L}+",
            "(?=x)",
            "[^\\s]",
            "(?i:",
            "{1,1000}",
            "lstrip",
            "content",
            "id");
    private static final List<String> TEMPLATE_WORDS = List.of(
            "{%",
            "%}",
            "{{",
            "}}",
            "{#",
            "#}",
            "-%}",
            "{%-",
            " if ",
            " else ",
            "endif",
            " for m in messages ",
            "endfor",
            " set x = ",
            " macro f(x) ",
            "endmacro",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "|",
            "~",
            "+",
            "-",
            "*",
            "**",
            "//",
            "%",
            ".",
            ",",
            "==",
            " not ",
            " and ",
            " or ",
            " in ",
            " is ",
            "defined",
            "x",
            "messages",
            "loop.index",
            "'a'",
            "99999999",
            "range(",
            "namespace(",
            "upper",
            "tojson",
            "join",
            "replace('a', 'aaaaaaaa')",
            "|list",
            "|length",
            "f(x)",
            "x + x",
            "'a' * 9999",
            "loop.previtem",
            "raise_exception('no')",
            "strftime_now('%Y')",
            "::-1",
            "selectattr",
            "groupby",
            "{% set x = x ~ x %}",
            "{% for a in range(99999) %}",
            "caller()",
            "call",
            "filter",
            "indent(99999)");
    private static final List<String> GBNF_WORDS = List.of(
            "root",
            "::=",
            "|",
            "(",
            ")",
            "[",
            "]",
            "^",
            "-",
            "*",
            "+",
            "?",
            "{",
            "}",
            "{2,9999}",
            "{0,}",
            "\"a\"",
            "\"",
            "\\x00",
            "\\u00e9",
            "\\U0010FFFF",
            "[a-z]",
            "[^\"]",
            "\n",
            "a ::= root\n",
            " a",
            "#",
            ".",
            "\\",
            "ws",
            "root root");
    private static final List<String> SCHEMA_WORDS = List.of(
            "type",
            "object",
            "array",
            "string",
            "integer",
            "number",
            "boolean",
            "null",
            "properties",
            "required",
            "items",
            "prefixItems",
            "minItems",
            "maxItems",
            "enum",
            "const",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref",
            "#",
            "#/$defs/a",
            "$defs",
            "additionalProperties",
            "minLength",
            "maxLength",
            "pattern",
            "^(a|b)*$",
            "format",
            "date-time",
            "uuid",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "propertyNames",
            "title",
            "description");

    private final Path data; // test-data
    private final Path work; // for files under test

    FuzzTargets(Path data, Path work) {
        this.data = data;
        this.work = work;
    }

    /** All targets; the models that some need are opened on the way and stay open. */
    List<FuzzTarget> all() throws IOException {
        List<FuzzTarget> targets = new ArrayList<>(List.of(
                safetensors(),
                index(),
                config(),
                model(),
                tokenizer(),
                tokenizerInput(),
                tokenizerConfig(),
                template(),
                state(),
                conversation(),
                grammar(),
                schema()));
        targets.addAll(StackFuzzTargets.all(data, work));
        targets.addAll(CliFuzzTargets.all(data, work));
        List<FuzzTarget> complete = new ArrayList<>();
        for (FuzzTarget target : targets) {
            List<byte[]> seeds = new ArrayList<>(target.seeds());
            seeds.addAll(files(data.resolve("fuzz").resolve(target.name()), ""));
            complete.add(new FuzzTarget(target.name(), seeds, target.mutator().repeatedly(), target.reader()));
        }
        return complete;
    }

    /** The contents of the files of a directory, if there is one. */
    private static List<byte[]> files(Path directory, String suffix) throws IOException {
        List<byte[]> contents = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (Stream<Path> all = Files.list(directory)) {
                for (Path file : all.sorted().toList()) {
                    if (file.toString().endsWith(suffix)) {
                        contents.add(Files.readAllBytes(file));
                    }
                }
            }
        }
        return contents;
    }

    private byte[] fixture(String name) throws IOException {
        return Files.readAllBytes(data.resolve("fixtures").resolve(name));
    }

    private Path directory(String name) throws IOException {
        return Files.createDirectories(work.resolve(name));
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
                        check(last >= Long.MIN_VALUE, "every tensor's last byte can be read");
                    }
                });
    }

    private FuzzTarget index() throws IOException {
        Path directory = directory("index");
        for (int i = 1; i <= 3; i++) {
            String shard = "model-0000" + i + "-of-00003.safetensors";
            copy(
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
                            check(file.normalize().startsWith(directory), "shards are in the directory");
                        }
                    }
                });
    }

    private FuzzTarget config() throws IOException {
        Path directory = directory("config");
        copy(directory.resolve("model.safetensors"), data.resolve("fixtures/tiny-f32/model.safetensors"));
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
                        speak(model);
                    }
                });
    }

    /** Weights, stored and quantised: whatever they hold, the model is refused or computes without a crash. */
    private FuzzTarget model() throws IOException {
        Path directory = directory("model");
        copy(directory.resolve("config.json"), data.resolve("fixtures/tiny-f32/config.json"));
        List<byte[]> seeds = new ArrayList<>(List.of(fixture("tiny-f32/model.safetensors")));
        for (String format : List.of("q8_0", "q4_0")) {
            Path quantized = work.resolve(format);
            try (ModelDirectory source = ModelDirectory.open(data.resolve("fixtures/tiny-f32"))) {
                CheckpointQuantizer.quantize(source, quantized, format, (done, all) -> {});
            }
            seeds.add(Files.readAllBytes(quantized.resolve("model.safetensors")));
        }
        return new FuzzTarget("model", seeds, new SafetensorsMutator(HEADER_WORDS, false), input -> {
            Files.write(directory.resolve("model.safetensors"), input);
            try (TextModel model = TextModel.open(directory)) {
                speak(model);
            }
        });
    }

    static void speak(TextModel model) {
        try (TextSession session = model.newSession()) {
            int vocab = model.loaded().config().vocabSize();
            session.feed(0, vocab - 1, vocab / 2, 0, 0, 0, 0, 0, 0);
            session.generate(GenerationOptions.defaults().withMaxTokens(2), new GenerationListener() {});
        }
    }

    private FuzzTarget tokenizer() throws IOException {
        Path file = directory("tokenizer").resolve("tokenizer.json");
        return new FuzzTarget("tokenizer", List.of(), new JsonMutator(TOKENIZER_WORDS), input -> {
            Files.write(file, input);
            Tokenizer tokenizer = Tokenizer.load(file);
            String text = "The cat's 12345 -- hats!\n\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab é\uD83D\uDE00 <|endoftext|>x";
            tokenizer.decode(tokenizer.encode(text, true));
        });
    }

    /** Any text comes back from its ids, however it arrives. */
    private FuzzTarget tokenizerInput() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(data.resolve("demo-model/tokenizer.json"));
        return new FuzzTarget(
                "tokenizer-input",
                List.of("The cat sat.<|endoftext|>\r\n\t 12 é\uD83D\uDE00".getBytes(StandardCharsets.UTF_8)),
                Mutator.text(List.of(
                        "<|endoftext|>",
                        "<|",
                        "|>",
                        " ",
                        "\n",
                        "a",
                        "'s",
                        "1",
                        "\u0301",
                        "\uD83D\uDE00",
                        "word",
                        "\u00A0",
                        "ß")),
                input -> {
                    String text = new String(input, StandardCharsets.UTF_8);
                    int[] ids = tokenizer.encode(text, true);
                    check(tokenizer.decode(ids).equals(text), "ids are the text again");
                    Encoder pieces = tokenizer.encoder(true);
                    List<Integer> streamed = new ArrayList<>();
                    Random random = new Random(text.length());
                    for (int at = 0; at < text.length(); ) {
                        int to = Math.min(text.length(), at + 1 + random.nextInt(text.length() / 4 + 9));
                        if (to < text.length() && Character.isLowSurrogate(text.charAt(to))) {
                            to++;
                        }
                        Arrays.stream(pieces.append(text.substring(at, to))).forEach(streamed::add);
                        at = to;
                    }
                    Arrays.stream(pieces.finish()).forEach(streamed::add);
                    check(
                            Arrays.equals(streamed.stream().mapToInt(i -> i).toArray(), ids),
                            "ids do not depend on pieces");
                });
    }

    /** tokenizer_config.json; the same bytes are tried as generation_config.json and as chat_template.jinja, too. */
    private FuzzTarget tokenizerConfig() throws IOException {
        Path directory = directory("tokenizer-config");
        copy(directory.resolve("config.json"), data.resolve("demo-model/config.json"));
        copy(directory.resolve("tokenizer.json"), data.resolve("fuzz/tokenizer/gpt2.json"));
        return new FuzzTarget(
                "tokenizer-config",
                List.of(
                        Files.readAllBytes(data.resolve("demo-model/tokenizer_config.json")),
                        Files.readAllBytes(data.resolve("demo-model/generation_config.json"))),
                new JsonMutator(List.of(
                        "bos_token",
                        "eos_token",
                        "add_bos_token",
                        "chat_template",
                        "content",
                        "default",
                        "name",
                        "template",
                        "eos_token_id",
                        "bos_token_id",
                        "temperature",
                        "top_k",
                        "top_p",
                        "<|endoftext|>",
                        "max_new_tokens")),
                input -> {
                    for (String name :
                            List.of("tokenizer_config.json", "generation_config.json", "chat_template.jinja")) {
                        Path file = Files.write(directory.resolve(name), input);
                        try (ModelDirectory opened = ModelDirectory.open(directory)) {
                            opened.specialTokens();
                            opened.tokenizerConfig();
                            opened.generationConfig();
                            opened.trainingContext();
                        } finally {
                            Files.delete(file);
                        }
                    }
                });
    }

    private FuzzTarget template() throws IOException {
        Map<String, Object> names = new HashMap<>();
        names.put(
                "messages",
                List.of(
                        Map.of("role", "system", "content", "Be brief."),
                        Map.of("role", "user", "content", "Hello, who are you?"),
                        Map.of("role", "assistant", "content", "  I am a model.\n"),
                        Map.of("role", "user", "content", "Good.")));
        names.put("add_generation_prompt", true);
        names.put("bos_token", "<s>");
        names.put("eos_token", "</s>");
        LocalDateTime now = LocalDateTime.of(2026, 11, 3, 16, 5, 9);
        names.put("strftime_now", Template.function(format -> Strftime.format(format, now)));
        return new FuzzTarget(
                "template",
                files(data.resolve("chat-templates"), ".jinja"),
                Mutator.text(TEMPLATE_WORDS),
                input -> Template.parse(new String(input, StandardCharsets.UTF_8))
                        .render(names));
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

    private FuzzTarget conversation() throws IOException {
        TextModel model = TextModel.open(data.resolve("demo-model"));
        ChatTemplate template = ChatTemplate.of(model);
        Path directory = directory("conversation");
        Path file = directory.resolve("conversation.json");
        GenerationOptions few = GenerationOptions.defaults().withMaxTokens(4);
        try (Conversation conversation = new Conversation(
                model, template, null, null, "Be brief.", new Conversation.Storage(1 << 20, directory, 1 << 20))) {
            conversation.say("Hello!", few, new GenerationListener() {});
            conversation.fork("side");
            conversation.say("Again?", few, new GenerationListener() {});
            ConversationFile.save(conversation, directory);
        }
        return new FuzzTarget(
                "conversation",
                List.of(Files.readAllBytes(file)),
                new JsonMutator(List.of(
                        "turns",
                        "branches",
                        "branch",
                        "next",
                        "id",
                        "parent",
                        "kind",
                        "EXCHANGE",
                        "BEGINNING",
                        "DOCUMENT",
                        "STATE",
                        "tokens",
                        "text",
                        "prompt",
                        "prompt_ids",
                        "answer",
                        "answer_ids",
                        "decoded",
                        "ending",
                        "main",
                        "side",
                        "model",
                        "started",
                        "version",
                        "../../x",
                        "2026-01-01T00:00")),
                input -> {
                    Files.write(file, input);
                    ConversationFile opened = ConversationFile.open(directory);
                    opened.started();
                    opened.model();
                    try (Conversation conversation = opened.resume(model, template, 1 << 20, 1 << 20)) {
                        TreeDrawing.of(conversation);
                        Transcript.markdown(conversation.head());
                        Transcript.json(conversation.head());
                    }
                });
    }

    private FuzzTarget grammar() {
        TokenTrie vocabulary = vocabulary();
        return new FuzzTarget(
                "grammar",
                List.of(
                        "root ::= \"yes\" | \"no\" [0-9]{1,3}\n".getBytes(StandardCharsets.UTF_8),
                        "root ::= item+\nitem ::= \"- \" [^\\n]* \"\\n\" | \"(\" item* \")\" # nested\n"
                                .getBytes(StandardCharsets.UTF_8)),
                Mutator.text(GBNF_WORDS),
                input -> write(
                        Grammar.parse(new String(input, StandardCharsets.UTF_8)).compile(vocabulary)));
    }

    private FuzzTarget schema() throws IOException {
        TokenTrie vocabulary = vocabulary();
        return new FuzzTarget(
                "schema",
                files(data.resolve("../engine/src/test/resources/schemas"), ".json"),
                new JsonMutator(SCHEMA_WORDS),
                input -> write(Grammar.ofJsonSchema(new String(input, StandardCharsets.UTF_8))
                        .compile(vocabulary)));
    }

    /** All bytes, and a few words. */
    private static TokenTrie vocabulary() {
        byte[][] tokens = new byte[262][];
        for (int b = 0; b < 256; b++) {
            tokens[b + 1] = new byte[] {(byte) b};
        }
        String[] words = {"\",\"", "true", "null", "  ", "\":"};
        for (int i = 0; i < words.length; i++) {
            tokens[257 + i] = words[i].getBytes(StandardCharsets.UTF_8);
        }
        return new TokenTrie(tokens);
    }

    /** A random text of a grammar, of 40 tokens if it ends within them. */
    private static void write(CompiledGrammar grammar) {
        GrammarMask mask = new GrammarMask(grammar, new int[] {0}, 40);
        Random random = new Random(1);
        for (int i = 0; i < 40 && !mask.hasEnded(); i++) {
            int from = random.nextInt(262);
            int id = from;
            while (!mask.allows(id % 262) && id < from + 262) {
                id++;
            }
            check(id < from + 262, "some id is allowed");
            mask.accept(id % 262);
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("it does not hold that " + what);
        }
    }

    private static void copy(Path file, Path from) throws IOException {
        Files.copy(from, file, StandardCopyOption.REPLACE_EXISTING);
    }
}
