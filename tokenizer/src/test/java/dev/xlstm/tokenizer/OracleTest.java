package dev.xlstm.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Ids equal those of Hugging Face tokenizers on random text. */
class OracleTest {
    private static final int STRINGS = 10_000;

    @TempDir
    Path dir;

    @BeforeAll
    static void stayOffline() {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty(
                "DJL_CACHE_DIR", Path.of("target/djl").toAbsolutePath().toString()); // its native library
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-neox", "gpt2"})
    void realVocabularies(String model) throws IOException {
        Path file = SharedFiles.tokenizer(model + "/tokenizer.json");
        compare(file, List.of("<|endoftext|>", "<|padding|>", "  ", "<|endoftext|"), STRINGS);
    }

    @Test
    void demoModel() throws IOException {
        compare(
                Path.of("../test-data/demo-model/tokenizer.json"),
                List.of("<|endoftext|>", "<|user|>", "<|end|>", "the"),
                STRINGS);
    }

    @Test
    void gptNeoxStyle() throws IOException {
        compare(
                new TinyTokenizer()
                        .normalizer("{\"type\":\"NFC\"}")
                        .added("<|endoftext|>", "special")
                        .added("    ", "normalized")
                        .added("  ", "normalized")
                        .added("là", "normalized"),
                STRINGS);
    }

    @Test
    void gpt2Style() throws IOException {
        compare(new TinyTokenizer().added("<|endoftext|>", "special", "normalized"), STRINGS);
    }

    @Test
    void llama3Style() throws IOException {
        compare(
                new TinyTokenizer()
                        .preTokenizer(TinyTokenizer.splitThenBytes(Llama3Pattern.LLAMA3_REGEX, "Isolated", false))
                        .ignoreMerges()
                        .mergesAsPairs()
                        .added("<|endoftext|>", "special")
                        .added("<|end", "special"),
                STRINGS);
    }

    @Test
    void qwen2Style() throws IOException {
        compare(
                new TinyTokenizer()
                        .normalizer("{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFC\"}]}")
                        .preTokenizer(TinyTokenizer.splitThenBytes(Llama3Pattern.QWEN2_REGEX, "Isolated", false))
                        .added("<|endoftext|>", "special"),
                STRINGS);
    }

    @Test
    void flagsOfAddedTokens() throws IOException {
        compare(
                new TinyTokenizer()
                        .added("<|endoftext|>", "special", "lstrip", "rstrip")
                        .added("<s>", "special", "rstrip")
                        .added("là", "normalized", "lstrip")
                        .added("the", "single_word", "lstrip")
                        .added("word", "single_word", "rstrip", "normalized")
                        .added("  "),
                STRINGS);
    }

    @ParameterizedTest
    @CsvSource({
        "Isolated, false",
        "Isolated, true",
        "Removed, false",
        "Removed, true",
        "Contiguous, false",
        "Contiguous, true",
        "MergedWithPrevious, false",
        "MergedWithPrevious, true",
        "MergedWithNext, false",
        "MergedWithNext, true"
    })
    void splitBehaviors(String behavior, boolean invert) throws IOException {
        String regex = TinyTokenizer.splitThenBytes("[ a-m]", behavior, invert);
        String emptyMatches = TinyTokenizer.splitThenBytes("(?=[a-m])|\\p{N}*", behavior, invert);
        String literal = "{\"type\":\"Sequence\",\"pretokenizers\":["
                + TinyTokenizer.split("{\"String\":\" \"}", behavior, invert) + "," + TinyTokenizer.BYTE_LEVEL + "]}";
        for (String preTokenizer : List.of(regex, emptyMatches, literal)) {
            compare(new TinyTokenizer().preTokenizer(preTokenizer).added("<|endoftext|>", "special"), 300);
        }
    }

    /** Patterns of well-known tokenizers that have no hand-written matcher. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                        + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
                        + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                " ?[^(\\s|[.,!?…。，、।۔،])]+",
                "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                        + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
                "\\p{Han}+|\\w+|\\W|\\d++|(?>the|th)e?|(?i)straße|\\P{^L}\\x{61}"
            })
    void otherPatterns(String regex) throws IOException {
        compare(new TinyTokenizer().preTokenizer(TinyTokenizer.splitThenBytes(regex, "Isolated", false)), 1000);
    }

    @Test
    void digitsAndPrefixSpace() throws IOException {
        for (boolean individual : new boolean[] {false, true}) {
            String digits = "{\"type\":\"Digits\",\"individual_digits\":" + individual + "}";
            String bytes = TinyTokenizer.BYTE_LEVEL.replace("\"add_prefix_space\":false", "\"add_prefix_space\":true");
            String sequence = "{\"type\":\"Sequence\",\"pretokenizers\":[" + digits + "," + bytes + "]}";
            compare(new TinyTokenizer().preTokenizer(sequence).added("<|endoftext|>", "special"), 1000);
        }
    }

    // ---- tokens of characters, not bytes

    private static final String METASPACE =
            "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"%s\",\"split\":%s}";

    private static String sequence(String field, String... parts) {
        return "{\"type\":\"Sequence\",\"" + field + "\":[" + String.join(",", parts) + "]}";
    }

    @Test
    void llama2Style() throws IOException {
        compareBothWays(CharTokenizer.llama2(), STRINGS);
        compareBothWays(CharTokenizer.llama2().modelFirst().added("  ", "normalized"), 1000);
    }

    /** Its normaliser puts ▁ for spaces, and its pre-tokeniser then finds none. */
    @Test
    void gemmaStyle() throws IOException {
        String replace = "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}";
        String split = TinyTokenizer.split("{\"String\":\" \"}", "MergedWithPrevious", false);
        String decoder = sequence(
                "decoders",
                "{\"type\":\"Replace\",\"pattern\":{\"String\":\"▁\"},\"content\":\" \"}",
                "{\"type\":\"ByteFallback\"}",
                "{\"type\":\"Fuse\"}");
        compareBothWays(
                new CharTokenizer("▁", 300)
                        .bytes()
                        .normalizer(replace)
                        .preTokenizer(split)
                        .decoder(decoder)
                        .added("\n\n")
                        .added("▁▁▁"),
                STRINGS);
    }

    @ParameterizedTest
    @CsvSource({"always, true", "always, false", "first, true", "first, false", "never, true", "never, false"})
    void mistralStyle(String scheme, boolean split) throws IOException {
        String metaspace = METASPACE.formatted(scheme, split);
        compareBothWays(
                new CharTokenizer("▁", 300).bytes().preTokenizer(metaspace).decoder(CharTokenizer.LLAMA2_DECODER),
                3000);
        String decoder = sequence("decoders", metaspace, "{\"type\":\"ByteFallback\"}", "{\"type\":\"Fuse\"}");
        compareBothWays(
                new CharTokenizer("▁", 300).bytes().preTokenizer(metaspace).decoder(decoder), 3000);
    }

    @ParameterizedTest
    @CsvSource({"true, true", "true, false", "false, true", "false, false"})
    void unknownCharacters(boolean unknown, boolean fused) throws IOException {
        for (String preTokenizer :
                List.of("null", "{\"type\":\"WhitespaceSplit\"}", METASPACE.formatted("always", true))) {
            String token = unknown ? "\"<unk>\"" : "null";
            compareBothWays(
                    new CharTokenizer("▁", 200).preTokenizer(preTokenizer).unknown(token, fused), 1500);
            compareBothWays(
                    new CharTokenizer("▁", 200)
                            .bytes()
                            .without("<0xE2>")
                            .preTokenizer(preTokenizer)
                            .unknown(token, fused),
                    1500);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"WhitespaceSplit\"}",
                "{\"type\":\"Whitespace\"}",
                "{\"type\":\"Punctuation\"}",
                "{\"type\":\"Punctuation\",\"behavior\":\"Removed\"}",
                "{\"type\":\"Punctuation\",\"behavior\":\"MergedWithPrevious\"}",
                "{\"type\":\"Punctuation\",\"behavior\":\"Contiguous\"}",
                "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Whitespace\"},{\"type\":\"Digits\","
                        + "\"individual_digits\":true}]}",
                "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Punctuation\"},{\"type\":\"WhitespaceSplit\"},"
                        + "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"first\",\"split\":true}]}",
            })
    void preTokenizersOfCharacters(String preTokenizer) throws IOException {
        compareBothWays(new CharTokenizer("", 300).preTokenizer(preTokenizer), STRINGS);
        compareBothWays(new CharTokenizer("", 0).words().preTokenizer(preTokenizer), 2000);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\":\"NFD\"}",
                "{\"type\":\"NFKC\"}",
                "{\"type\":\"NFKD\"}",
                "{\"type\":\"Lowercase\"}",
                "{\"type\":\"Strip\",\"strip_left\":true,\"strip_right\":true}",
                "{\"type\":\"Strip\",\"strip_left\":false,\"strip_right\":true}",
                "{\"type\":\"Prepend\",\"prepend\":\"the \"}",
                "{\"type\":\"Replace\",\"pattern\":{\"String\":\"the\"},\"content\":\"a\"}",
                "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}|[a-f]+\"},\"content\":\" \"}",
                "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Lowercase\"},{\"type\":"
                        + "\"Strip\",\"strip_left\":true,\"strip_right\":false},{\"type\":\"Prepend\",\"prepend\":\"x\"}]}",
            })
    void normalizers(String normalizer) throws IOException {
        compare(
                new TinyTokenizer()
                        .normalizer(normalizer)
                        .added("<|endoftext|>", "special")
                        .added("là", "normalized"),
                STRINGS);
        compareBothWays(new CharTokenizer("▁", 200).bytes().normalizer(normalizer), 2000);
    }

    /** As ids in words, and their text: a space between two tokens. */
    @Test
    void wordLevel() throws IOException {
        compareBothWays(new CharTokenizer("", 0).words().preTokenizer("{\"type\":\"WhitespaceSplit\"}"), STRINGS);
    }

    @Test
    void byteLevelVocabulariesThatLackBytes() throws IOException {
        for (String unknown : List.of("null", "\"Ġ\"")) {
            String json = new TinyTokenizer()
                    .json()
                    .replace("\"unk_token\":null", "\"unk_token\":" + unknown)
                    .replace("\"Ú\":", "\"never\":")
                    .replace("\"ó\":", "\"never2\":");
            compare(new TinyTokenizer().replacing(json), 2000);
        }
    }

    private void compareBothWays(CharTokenizer tokenizer, int strings) throws IOException {
        Path file = tokenizer.write(dir);
        List<String> tokens = List.of("<s>", "</s>", "▁the", "▁", " ▁ ", "là", "<0x41>", "the", "  ");
        compare(file, tokens, strings);
        Tokenizer ours = Tokenizer.load(file);
        RandomText texts = new RandomText(43, tokens);
        try (HuggingFaceTokenizer oracle = oracle(file)) {
            for (int i = 0; i < strings / 4; i++) {
                int[] ids = ours.encode(texts.next());
                long[] longIds = Arrays.stream(ids).asLongStream().toArray();
                assertThat(ours.decode(ids)).isEqualTo(oracle.decode(longIds, false));
                assertThat(ours.decode(ids, true)).isEqualTo(oracle.decode(longIds, true));
            }
        }
    }

    @Test
    void decodesAnyIds() throws IOException {
        Path file = new TinyTokenizer().added("<|endoftext|>", "special").write(dir);
        try (HuggingFaceTokenizer oracle = oracle(file)) {
            Tokenizer ours = Tokenizer.load(file);
            Random random = new Random(9);
            for (int i = 0; i < 5000; i++) {
                int bound = random.nextBoolean() ? 256 : ours.vocabSize();
                int[] ids = random.ints(random.nextInt(1, 12), 0, bound).toArray();
                long[] longIds = Arrays.stream(ids).asLongStream().toArray();
                assertThat(ours.decode(ids)).isEqualTo(oracle.decode(longIds, false));
                assertThat(ours.decode(ids, true)).isEqualTo(oracle.decode(longIds, true));
            }
        }
    }

    /** One long word, in the path with a heap. */
    @Test
    void longWords() throws IOException {
        Path file = new TinyTokenizer().write(dir);
        try (HuggingFaceTokenizer oracle = oracle(file)) {
            Tokenizer ours = Tokenizer.load(file);
            Random random = new Random(7);
            for (int length : new int[] {30, 41, 100, 5000, 200_000}) {
                StringBuilder word = new StringBuilder();
                for (int i = 0; i < length; i++) {
                    word.append("theandboatlig漢".charAt(random.nextInt(14)));
                }
                for (String text :
                        List.of(word.toString(), "t".repeat(length), "the".repeat(length / 3), " ".repeat(length))) {
                    assertThat(ours.encode(text)).isEqualTo(ids(oracle, text));
                }
            }
        }
    }

    private void compare(TinyTokenizer tiny, int strings) throws IOException {
        compare(tiny.write(dir), List.of("<|endoftext|>", "<s>", "là", "la\u0300", "  ", "the", "word"), strings);
    }

    private static void compare(Path file, List<String> tokens, int strings) throws IOException {
        Tokenizer ours = Tokenizer.load(file);
        RandomText texts = new RandomText(42, tokens);
        try (HuggingFaceTokenizer oracle = oracle(file)) {
            for (int i = 0; i < strings; i++) {
                String text = texts.next();
                int[] expected = ids(oracle, text);
                assertThat(ours.encode(text))
                        .as("text %d: %s", i, TinyTokenizer.quote(text))
                        .isEqualTo(expected);
            }
        }
    }

    private static HuggingFaceTokenizer oracle(Path file) throws IOException {
        return HuggingFaceTokenizer.newInstance(
                file, Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false"));
    }

    private static int[] ids(HuggingFaceTokenizer oracle, String text) {
        return Arrays.stream(oracle.encode(text, false, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }
}
