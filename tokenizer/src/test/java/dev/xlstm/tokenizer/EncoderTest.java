package dev.xlstm.tokenizer;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Text in parts gives the ids of the whole text, and early. */
class EncoderTest {
    private static final List<String> TOKENS = List.of("<|endoftext|>", "<|end", "<s>", "là", "la\u0300", "  ", "the");

    static Stream<TinyTokenizer> tokenizers() {
        String nfc = "{\"type\":\"NFC\"}";
        return Stream.of(
                new TinyTokenizer()
                        .normalizer(nfc)
                        .added("<|endoftext|>", "special")
                        .added("  ", "normalized"),
                new TinyTokenizer()
                        .normalizer(nfc)
                        .added("<|endoftext|>", "special", "lstrip", "rstrip")
                        .added("<s>", "rstrip")
                        .added("the", "single_word")
                        .added("là", "normalized", "lstrip", "single_word"),
                new TinyTokenizer()
                        .preTokenizer(TinyTokenizer.splitThenBytes(Llama3Pattern.LLAMA3_REGEX, "Isolated", false))
                        .ignoreMerges(),
                // the same words, found by java.util.regex
                new TinyTokenizer()
                        .preTokenizer(TinyTokenizer.splitThenBytes(
                                "(?:" + Llama3Pattern.QWEN2_REGEX + ")", "Isolated", false)),
                new TinyTokenizer()
                        .preTokenizer(
                                TinyTokenizer.splitThenBytes("\\p{N}{3}|(?=[aeiou])|t h", "MergedWithNext", true)),
                new TinyTokenizer().preTokenizer(TinyTokenizer.splitThenBytes("the|\\s+(?!\\S)", "Contiguous", false)),
                new TinyTokenizer()
                        .preTokenizer("{\"type\":\"Sequence\",\"pretokenizers\":["
                                + "{\"type\":\"Digits\",\"individual_digits\":false},"
                                + TinyTokenizer.split("{\"String\":\"the \"}", "MergedWithPrevious", false) + ","
                                + TinyTokenizer.BYTE_LEVEL.replace("space\":false", "space\":true") + "]}"));
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void partsGiveTheIdsOfTheWhole(TinyTokenizer tiny) {
        Tokenizer tokenizer = tiny.load();
        RandomText texts = new RandomText(11, TOKENS);
        Random random = new Random(12);
        Encoder encoder = tokenizer.encoder(true);
        for (int i = 0; i < 3000; i++) {
            String text = texts.next();
            IntStream ids = IntStream.empty();
            for (int from = 0; from < text.length(); ) { // also within surrogate pairs
                int to = Math.min(text.length(), from + random.nextInt(1, 9));
                ids = IntStream.concat(ids, IntStream.of(encoder.append(text.substring(from, to))));
                from = to;
            }
            ids = IntStream.concat(ids, IntStream.of(encoder.finish()));
            assertThat(ids.toArray())
                    .as("text %d: %s", i, TinyTokenizer.quote(text))
                    .isEqualTo(tokenizer.encode(text));
        }
    }

    @Test
    void holdsBackOnlyWhatMayChange() {
        Tokenizer tokenizer = new TinyTokenizer()
                .normalizer("{\"type\":\"NFC\"}")
                .added("<s>", "special")
                .load();
        Encoder encoder = tokenizer.encoder(true);

        assertThat(encoder.append("the boat ")).isEqualTo(tokenizer.encode("the boat"));
        assertThat(encoder.append("<s")).isEmpty(); // the space may begin " <", and "<s" may become "<s>"
        assertThat(encoder.append(">")).isEqualTo(tokenizer.encode(" <s>"));
        assertThat(encoder.append("e")).isEmpty();
        assertThat(encoder.append("\u0301 ")).isEqualTo(tokenizer.encode("é"));
        assertThat(encoder.append("b")).isEmpty();
        assertThat(encoder.finish()).isEqualTo(tokenizer.encode(" b"));
        assertThat(encoder.finish()).isEmpty();
    }

    /** A megabyte in small parts: whether or not it has words, looking again at held text stays linear. */
    @Test
    void longTextInSmallParts() {
        Tokenizer tokenizer = new TinyTokenizer()
                .normalizer("{\"type\":\"NFC\"}")
                .added("<s>", "special", "lstrip")
                .load();
        for (String unit : List.of("the boat ", "boat", " ", "e\u0301", "\u0301\u0316", "<s", "漢")) {
            String text = unit.repeat(1_000_000 / unit.length());
            Encoder encoder = tokenizer.encoder(true);
            IntList ids = new IntList();
            for (int from = 0; from < text.length(); from += 100) {
                int[] some = encoder.append(text.substring(from, Math.min(text.length(), from + 100)));
                ids.addAll(some, some.length);
            }
            int[] rest = encoder.finish();
            ids.addAll(rest, rest.length);
            assertThat(ids.drain()).as(unit).isEqualTo(tokenizer.encode(text));
        }
    }

    @Test
    void cutsAPretokenBeyondTheLimit() {
        Tokenizer tokenizer = new TinyTokenizer().load();
        String piece = "boat".repeat(TokenizerLimits.PIECE_CHARS / 4);
        IntStream expected =
                IntStream.concat(IntStream.of(tokenizer.encode(piece)), IntStream.of(tokenizer.encode("oatboat")));
        assertThat(tokenizer.encode(piece + "oatboat")).isEqualTo(expected.toArray());

        Encoder encoder = tokenizer.encoder(true);
        assertThat(encoder.append(piece + "boat")).isEqualTo(tokenizer.encode(piece)); // nothing more is held
        assertThat(encoder.finish()).isEqualTo(tokenizer.encode("boat"));

        String pairs = "b" + "😀".repeat(TokenizerLimits.PIECE_CHARS / 2); // the limit falls into a pair
        assertThat(tokenizer.decode(tokenizer.encode(pairs))).isEqualTo(pairs);
    }

    @Test
    void halfASurrogatePairIsAReplacementCharacter() {
        Tokenizer tokenizer = new TinyTokenizer().load();
        assertThat(tokenizer.encode("a\ud83d")).isEqualTo(tokenizer.encode("a\ufffd"));
        assertThat(tokenizer.encode("\ude00\ud83db")).isEqualTo(tokenizer.encode("\ufffd\ufffdb"));
        assertThat(tokenizer.encode("\ud83d\ud83d\ude00")).isEqualTo(tokenizer.encode("\ufffd😀"));
    }

    @Test
    void specialTokensInUntrustedTextAreText() {
        TinyTokenizer tiny = new TinyTokenizer()
                .added("<s>", "special")
                .added("<|end|>", "special", "normalized")
                .added("là");
        Tokenizer tokenizer = tiny.load();
        String text = "the <s>boat<|end|> là";

        assertThat(tokenizer.encode(text, true))
                .contains(
                        tokenizer.id("<s>").getAsInt(), tokenizer.id("<|end|>").getAsInt());
        int[] untrusted = tokenizer.encode(text, false);
        assertThat(IntStream.of(untrusted).filter(tokenizer::isSpecial)).isEmpty();
        assertThat(untrusted).contains(tokenizer.id("là").getAsInt()); // added, but not special
        assertThat(tokenizer.decode(untrusted)).isEqualTo(text);
    }

    @Test
    void addedTokensCanBeLeftTextWhetherSpecialOrNot() throws TokenizerException {
        Tokenizer tokenizer = new TinyTokenizer()
                .added("<s>", "special")
                .added("<|user|>")
                .added("    ")
                .load();
        int user = tokenizer.id("<|user|>").getAsInt();
        BitSet asText = new BitSet();
        asText.set(user);
        int[] ids = tokenizer.encoder(asText).encode("<s><|user|>    ");
        assertThat(ids)
                .contains(tokenizer.id("<s>").getAsInt(), tokenizer.id("    ").getAsInt())
                .doesNotContain(user);
        assertThat(tokenizer.decode(ids)).isEqualTo("<s><|user|>    ");
        assertThat(tokenizer.isAdded(user)).isTrue();
        assertThat(tokenizer.isAdded(0)).isFalse();
    }

    /** A file may mark a token as special that merging makes of ordinary text: untrusted text must not reach it. */
    @Test
    void specialTokensMadeByMergingAreTakenApart() {
        for (TinyTokenizer tiny : List.of(new TinyTokenizer(), new TinyTokenizer().ignoreMerges())) {
            String json = tiny.json();
            int boat = TinyTokenizer.vocabulary().get("boat");
            Tokenizer tokenizer = tiny.replacing(json.replace(
                            "\"added_tokens\":[",
                            "\"added_tokens\":[{\"id\":" + boat + ",\"content\":\"boat\",\"special\":true}"))
                    .load();
            assertThat(tokenizer.encode("boat boatboat", true)).contains(boat);
            int[] untrusted = tokenizer.encode("boat boatboat", false);
            assertThat(IntStream.of(untrusted).filter(tokenizer::isSpecial)).isEmpty();
            assertThat(tokenizer.decode(untrusted)).isEqualTo("boat boatboat");
        }
    }

    /** The same ids and the same text however the text is cut, also where tokens are characters. */
    @Test
    void tokenizersOfCharactersEncodeAndDecodePieceByPiece(@TempDir Path dir) throws Exception {
        String metaspace = "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"first\",\"split\":true}";
        String normalizer = "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Lowercase\"},"
                + "{\"type\":\"Strip\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {2,}\"},\"content\":\" \"}]}";
        for (CharTokenizer file : List.of(
                CharTokenizer.llama2(),
                new CharTokenizer("▁", 300).bytes().preTokenizer(metaspace).decoder(metaspace),
                new CharTokenizer("▁", 300).normalizer(normalizer).preTokenizer("{\"type\":\"Whitespace\"}"),
                new CharTokenizer("", 0).words().preTokenizer("{\"type\":\"Punctuation\"}"))) {
            Tokenizer tokenizer = Tokenizer.load(file.write(dir));
            RandomText texts = new RandomText(5, List.of("<s>", "▁the", "  "));
            Random random = new Random(6);
            Encoder encoder = tokenizer.encoder(true);
            Decoder decoder = tokenizer.decoder(false);
            for (int i = 0; i < 2000; i++) {
                String text = texts.next();
                List<Integer> ids = new ArrayList<>();
                StringBuilder decoded = new StringBuilder();
                for (int from = 0; from < text.length(); ) {
                    int to = Math.min(text.length(), from + random.nextInt(1, 9));
                    Arrays.stream(encoder.append(text.substring(from, to))).forEach(ids::add);
                    from = to;
                }
                Arrays.stream(encoder.finish()).forEach(ids::add);
                int[] whole = tokenizer.encode(text);
                assertThat(ids)
                        .containsExactlyElementsOf(Arrays.stream(whole).boxed().toList());
                ids.forEach(id -> decoded.append(decoder.accept(id)));
                assertThat(decoded + decoder.finish()).isEqualTo(tokenizer.decode(whole));
            }
        }
    }

    /** Ordinary text never becomes an added token that is to stay text, whatever the kind of tokenizer. */
    @Test
    void charactersAndWordsStayText(@TempDir Path dir) throws Exception {
        for (CharTokenizer file : List.of(
                CharTokenizer.llama2().added("▁the", "special"),
                CharTokenizer.llama2().added("t", "special").ignoreMerges(),
                new CharTokenizer("", 0).words().preTokenizer("{\"type\":\"WhitespaceSplit\"}"))) {
            Tokenizer tokenizer = Tokenizer.load(file.write(dir));
            int unknown = tokenizer.id("<unk>").getAsInt();
            for (int id : tokenizer.encode("<s> the t <unk> </s>", false)) {
                assertThat(tokenizer.isSpecial(id) && id != unknown)
                        .as("%d", id)
                        .isFalse();
            }
        }
    }

    /** Text of a session goes on after a prompt, so its first token keeps its space. */
    @Test
    void aDecoderInTheMiddleOfATextKeepsTheSpace(@TempDir Path dir) throws Exception {
        Tokenizer tokenizer = Tokenizer.load(CharTokenizer.llama2().write(dir));
        int[] ids = tokenizer.encode("the tide");
        Decoder fresh = tokenizer.decoder(true);
        assertThat(fresh.accept(ids[0])).startsWith("t");
        assertThat(tokenizer.decoder(true).midText().accept(ids[0])).startsWith(" t");
        Decoder resumed = tokenizer.decoder(true);
        resumed.restore(new byte[0]);
        assertThat(resumed.accept(ids[0])).startsWith(" t");
    }
}
