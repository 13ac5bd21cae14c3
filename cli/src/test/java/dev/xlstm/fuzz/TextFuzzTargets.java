package dev.xlstm.fuzz;

import dev.xlstm.chat.ChatTemplate;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.Transcript;
import dev.xlstm.chat.TreeDrawing;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.jinja.Strftime;
import dev.xlstm.jinja.Template;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.tokenizer.Encoder;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Targets for what turns text into ids and chats into text. */
final class TextFuzzTargets {

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
            "NFKD",
            "Lowercase",
            "Replace",
            "Prepend",
            "Strip",
            "Whitespace",
            "Punctuation",
            "Metaspace",
            "prepend_scheme",
            "first",
            "ByteFallback",
            "Fuse",
            "WordLevel",
            "unk_token",
            "byte_fallback",
            "<0x0A>",
            "▁",
            "content",
            "decoders",
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

    private final Path data; // test-data
    private final Path work; // for files under test

    private TextFuzzTargets(Path data, Path work) {
        this.data = data;
        this.work = work;
    }

    static List<FuzzTarget> all(Path data, Path work) throws IOException {
        TextFuzzTargets made = new TextFuzzTargets(data, work);
        return List.of(
                made.tokenizer(), made.tokenizerInput(), made.tokenizerConfig(), made.template(), made.conversation());
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
                    FuzzTargets.check(tokenizer.decode(ids).equals(text), "ids are the text again");
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
                    FuzzTargets.check(
                            Arrays.equals(streamed.stream().mapToInt(i -> i).toArray(), ids),
                            "ids do not depend on pieces");
                });
    }

    /** tokenizer_config.json; the same bytes are tried as generation_config.json and as chat_template.jinja, too. */
    private FuzzTarget tokenizerConfig() throws IOException {
        Path directory = directory("tokenizer-config");
        FuzzTargets.copy(directory.resolve("config.json"), data.resolve("demo-model/config.json"));
        FuzzTargets.copy(directory.resolve("tokenizer.json"), data.resolve("fuzz/tokenizer/gpt2.json"));
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
                FuzzTargets.files(data.resolve("chat-templates"), ".jinja"),
                Mutator.text(TEMPLATE_WORDS),
                input -> Template.parse(new String(input, StandardCharsets.UTF_8))
                        .render(names));
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
                        "base",
                        "turn-0",
                        "asked-1",
                        "document_length",
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
                        TreeDrawing.of(conversation, 0);
                        Transcript.markdown(conversation.head());
                        Transcript.json(conversation.head());
                    }
                });
    }

    private Path directory(String name) throws IOException {
        return Files.createDirectories(work.resolve(name));
    }
}
