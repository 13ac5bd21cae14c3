package dev.xlstm.tokenizer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What a tokenizer.json may not be, and how it is refused: one line with file, field and remedy. */
class TokenizerFileTest {
    private static final String JSON =
            new TinyTokenizer().added("<|end|>", "special").json();

    @TempDir
    Path dir;

    private Tokenizer load(byte[] json) throws IOException {
        return Tokenizer.load(Files.write(dir.resolve("tokenizer.json"), json));
    }

    private Tokenizer load(String json) throws IOException {
        return load(json.getBytes(StandardCharsets.UTF_8));
    }

    private void assertRefused(String json, String... parts) {
        assertThatThrownBy(() -> load(json))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith(dir.resolve("tokenizer.json").toString() + ": ")
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("\n")
                .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(400));
    }

    private static Arguments changed(String from, String to, String... parts) {
        assertThat(JSON).contains(from);
        return Arguments.of(JSON.replace(from, to), parts);
    }

    static Stream<Arguments> refused() {
        String normalizer = "\"normalizer\":null";
        String preTokenizer = "\"pre_tokenizer\":" + TinyTokenizer.BYTE_LEVEL;
        String processor = "\"post_processor\":null";
        String decoder = "\"decoder\":" + TinyTokenizer.BYTE_LEVEL;
        String id = "\"id\":" + TinyTokenizer.vocabulary().size();
        int boat = TinyTokenizer.vocabulary().get("boat");
        return Stream.of(
                changed("\"type\":\"BPE\"", "\"type\":\"Unigram\"", "model.type", "\"Unigram\" is not supported"),
                changed("\"type\":\"BPE\"", "\"type\":7", "model.type", "expected a string"),
                changed("\"dropout\":null", "\"dropout\":0.1", "model.dropout", "0.1"),
                changed(
                        "\"continuing_subword_prefix\":null",
                        "\"continuing_subword_prefix\":\"##\"",
                        "continuing_subword_prefix"),
                changed("\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"", "end_of_word_suffix"),
                changed("\"ignore_merges\":false", "\"ignore_merges\":1", "model.ignore_merges", "true or false"),
                changed(normalizer, "\"normalizer\":{\"type\":\"Nmt\"}", "normalizer.type", "\"Nmt\" is not supported"),
                changed(
                        normalizer,
                        "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"StripAccents\"}]}",
                        "normalizer.normalizers[0].type",
                        "StripAccents"),
                changed(normalizer, "\"normalizer\":[]", "normalizer", "expected an object"),
                changed(preTokenizer, "\"pre_tokenizer\":null", "decoder.type", "\"ByteLevel\" is not supported"),
                changed(
                        preTokenizer,
                        "\"pre_tokenizer\":{\"type\":\"UnicodeScripts\"}",
                        "pre_tokenizer.type",
                        "UnicodeScripts"),
                changed(
                        preTokenizer,
                        "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[" + TinyTokenizer.BYTE_LEVEL
                                + ",{\"type\":\"Digits\"}]}",
                        "pre_tokenizer.pretokenizers[1].type",
                        "nothing after ByteLevel"),
                changed(
                        preTokenizer,
                        "\"pre_tokenizer\":" + TinyTokenizer.splitThenBytes("a", "Sideways", false),
                        "behavior",
                        "Sideways"),
                changed(
                        preTokenizer,
                        "\"pre_tokenizer\":" + TinyTokenizer.splitThenBytes("(?<=a)b", "Isolated", false),
                        "pattern.Regex",
                        "look-behind"),
                changed(
                        preTokenizer,
                        "\"pre_tokenizer\":" + TinyTokenizer.splitThenBytes("a(", "Isolated", false),
                        "pattern.Regex",
                        "does not compile"),
                changed(
                        preTokenizer,
                        "\"pre_tokenizer\":" + TinyTokenizer.splitThenBytes("a".repeat(5000), "Isolated", false),
                        "pattern.Regex",
                        "has 5000 characters"),
                changed(
                        preTokenizer,
                        "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"use_regex\":\"yes\"}",
                        "use_regex",
                        "true or false"),
                changed(
                        processor,
                        "\"post_processor\":{\"type\":\"BertProcessing\"}",
                        "post_processor.type",
                        "BertProcessing"),
                changed(
                        processor,
                        "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"s\"}}],"
                                + "\"special_tokens\":{\"s\":{\"ids\":[999999]}}}",
                        "special_tokens.s.ids[0]",
                        "999999"),
                changed(decoder, "\"decoder\":{\"type\":\"WordPiece\"}", "decoder.type", "WordPiece"),
                changed("\"!\":33", "\"!\":-1", "model.vocab", "\"!\"", "-1", "expected an id"),
                changed("\"!\":33", "\"!\":1048576", "model.vocab", "1048576"),
                changed("\"!\":33", "\"!\":99999999999999999999", "model.vocab", "expected an id"),
                changed("\"!\":33", "\"!\":3.5", "model.vocab", "expected an id"),
                changed("\"!\":33", "\"!\":{}", "model.vocab", "expected an id"),
                changed("\"!\":33", "\"!\":34", "model.vocab", "id 34 is given to"),
                changed("\"!\":33,", "\"!\":33,\"!\":9999,", "model.vocab", "\"!\" is there twice"),
                changed("\"<|end|>\"", "\"\\udc00x\"", "surrogate"),
                changed("\"vocab\":{", "\"vocab\":[],\"x\":{", "model.vocab", "an array, as of a Unigram model"),
                changed(
                        "\"merges\":[",
                        "\"merges\":[\"qq zz\",",
                        "model.merges[0]",
                        "\"qq\" is not a token of model.vocab in byte-level spelling"),
                changed(
                        "\"merges\":[",
                        "\"merges\":[\"q z\",",
                        "model.merges[0]",
                        "\"qz\" is not a token of model.vocab in byte-level spelling"),
                changed("\"merges\":[", "\"merges\":[\"abc\",", "model.merges[0]", "expected \"a b\""),
                changed("\"merges\":[", "\"merges\":[[\"a\"],", "model.merges[0]", "expected \"a b\""),
                changed("\"merges\":[", "\"merges\":[5,", "model.merges[0]", "expected \"a b\""),
                changed("\"merges\":[", "\"merges\":{},\"x\":[", "model.merges", "not an array"),
                changed("\"merges\":[", "\"mergers\":[", "model.merges", "missing"),
                changed("\"model\":", "\"module\":", "model", "missing"),
                changed("\"model\":", "\"model\":null,\"model\":", "model", "not an object"),
                changed("\"normalizer\":", "\"normalizer\":null,\"normalizer\":", "normalizer", "is there twice"),
                changed(id, "\"id\":-5", "added_tokens[0].id", "expected an id"),
                changed(id, "\"id\":2000000000", "added_tokens[0].id", "expected an id"),
                changed(id, "\"id\":5", "added_tokens", "\"<|end|>\"", "belongs to another token"),
                changed("\"<|end|>\"", "\"boat\"", "added_tokens \"boat\"", "but " + boat + " in model.vocab"),
                changed("\"<|end|>\"", "\"\"", "added_tokens[0].content", "empty"),
                changed("\"<|end|>\"", "\"" + "x".repeat(600) + "\"", "added_tokens[0].content", "600 characters"),
                changed("\"<|end|>\"", "null", "added_tokens[0].content", "expected a string"),
                changed(
                        "\"added_tokens\":[",
                        "\"added_tokens\":[{\"id\":4000,\"content\":\"<|end|>\"},",
                        "is there twice"),
                changed(
                        "\"added_tokens\":[",
                        "\"added_tokens\":[{\"id\":659,\"content\":\"<x>\"},{\"id\":659,\"content\":\"<y>\"},",
                        "id 659 belongs to another token"),
                Arguments.of("[".repeat(100_000), new String[] {"not a JSON object"}),
                Arguments.of("{\"normalizer\":" + "[".repeat(100_000), new String[] {"not valid JSON"}),
                Arguments.of(
                        "{\"normalizer\":[" + "1,".repeat(20_000) + "1]}",
                        new String[] {"normalizer", "more than 10000 values"}),
                Arguments.of("{\"a\\nb\":\n\n\n}", new String[] {"not valid JSON"}),
                Arguments.of("", new String[] {"not a JSON object"}),
                Arguments.of(JSON.substring(0, JSON.length() / 2), new String[] {"not valid JSON", "line 1"}));
    }

    @ParameterizedTest
    @MethodSource
    void refused(String json, String[] parts) {
        assertRefused(json, parts);
    }

    @Test
    void refusesMoreThanAnyRealFileHas() {
        StringBuilder words = new StringBuilder();
        StringBuilder added = new StringBuilder();
        for (int i = 0; i < 70_000; i++) {
            words.append("\"▁").append(i).append("\":").append(2000 + i).append(',');
            added.append("{\"id\":")
                    .append(2000 + i)
                    .append(",\"content\":\"some long text ")
                    .append(i)
                    .append("\"},");
        }
        assertRefused(JSON.replace("\"vocab\":{", "\"vocab\":{" + words), "model.vocab", "not a byte-level vocabulary");
        assertRefused(JSON.replace("\"added_tokens\":[", "\"added_tokens\":[" + added), "added_tokens", "more than");
    }

    @Test
    void refusesWhatIsNoFile() {
        assertThatThrownBy(() -> Tokenizer.load(dir.resolve("none.json")))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("none.json: no such file");
        assertThatThrownBy(() -> Tokenizer.load(dir))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("not a regular file");
    }

    @Test
    void refusesAHugeFile() throws IOException {
        Path file = dir.resolve("tokenizer.json");
        try (var channel = java.nio.channels.FileChannel.open(
                file, java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.WRITE)) {
            channel.write(java.nio.ByteBuffer.wrap(new byte[1]), TokenizerLimits.FILE_BYTES); // sparse
        }
        assertThatThrownBy(() -> Tokenizer.load(file))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("bytes, more than");
    }

    @Test
    void messagesShowNoControlCharacters() {
        assertRefused(JSON.replace("\"<|end|>\"", "\"\\u001b[31m\\n" + "y".repeat(600) + "\""), "\\u001b[31m\\u000a");
    }

    /** Any damage is refused or harmless, never another exception. */
    @Test
    void survivesDamage() throws IOException {
        byte[] json = new TinyTokenizer()
                .preTokenizer(TinyTokenizer.splitThenBytes(Llama3Pattern.LLAMA3_REGEX + "|x", "Isolated", false))
                .normalizer("{\"type\":\"NFC\"}")
                .added("<|end|>", "special")
                .json()
                .getBytes(StandardCharsets.UTF_8);
        String bytes = new String(json, StandardCharsets.ISO_8859_1);
        int small = bytes.indexOf("\"vocab\"");
        Random random = new Random(8);
        int refused = 0;
        for (int i = 0; i < 1000; i++) {
            byte[] damaged = json.clone();
            int at = random.nextInt(random.nextBoolean() ? small : json.length);
            switch (random.nextInt(3)) {
                case 0 -> damaged[at] = (byte) random.nextInt(256);
                case 1 -> damaged[at] = (byte) "{}[]\",:0-\\".charAt(random.nextInt(10));
                default -> damaged = java.util.Arrays.copyOf(damaged, at);
            }
            try {
                load(damaged).encode("the boat <|end|> 12 ");
            } catch (TokenizerException e) {
                refused++;
                assertThat(e.getMessage()).doesNotContain("\n");
            }
        }
        assertThat(refused).isBetween(250, 1000);
    }

    @Test
    void mergesMayComeBeforeTheVocabularyAndAsPairs() throws IOException {
        String text = "the boat and the lights";
        int[] expected = load(JSON).encode(text);
        int merges = JSON.indexOf(",\"merges\":");
        String first = JSON.substring(0, merges) + "}}";
        first = first.replace("\"vocab\":", JSON.substring(merges + 1, JSON.length() - 2) + ",\"vocab\":");
        assertThat(load(first).encode(text)).isEqualTo(expected);
        assertThat(load(new TinyTokenizer().mergesAsPairs().json()).encode(text))
                .isEqualTo(expected);
        assertThat(load(JSON.replace("\"merges\":[", "\"merges\":[\"#version: 0.2\","))
                        .encode(text))
                .isEqualTo(expected);
    }

    @Test
    void takesWhatChangesNothing() throws IOException {
        String json = JSON.replace("\"truncation\":null", "\"truncation\":{\"max_length\":5}")
                .replace("\"padding\":null", "\"padding\":{\"strategy\":\"BatchLongest\"}")
                .replace("\"unk_token\":null", "\"unk_token\":\"<|end|>\"")
                .replace("\"byte_fallback\":false", "\"byte_fallback\":true")
                .replace("\"continuing_subword_prefix\":null", "\"continuing_subword_prefix\":\"\"")
                .replace("\"decoder\":" + TinyTokenizer.BYTE_LEVEL, "\"decoder\":null")
                .replace("\"post_processor\":null", "\"post_processor\":" + TinyTokenizer.BYTE_LEVEL);
        String text = "the boat and the lights and the end <|end|>";
        assertThat(load(json).encode(text)).isEqualTo(load(JSON).encode(text)).hasSizeGreaterThan(5);
    }

    @Test
    void tellsWhatATemplatePutsAround() throws IOException {
        String template = "{\"type\":\"Sequence\",\"processors\":[" + TinyTokenizer.BYTE_LEVEL
                + ",{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
                + "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":0}}],\"pair\":[],"
                + "\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[1,2],\"tokens\":[\"<s>\"]},\"</s>\":{\"ids\":[3]}}}]}";
        Tokenizer tokenizer = load(new TinyTokenizer().postProcessor(template).json());
        assertThat(tokenizer.templatePrefix()).containsExactly(1, 2);
        assertThat(tokenizer.templateSuffix()).containsExactly(3);
        assertThat(tokenizer.encode("the")).isEqualTo(load(JSON).encode("the"));
        assertThat(load(JSON).templatePrefix()).isEmpty();
    }
}
