package dev.xlstm.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class DecoderTest {
    private final Tokenizer tokenizer =
            new TinyTokenizer().added("<|end|>", "special").added("là").load();

    private int b(int value) {
        return tokenizer.id(String.valueOf(ByteAlphabet.charOf((byte) value))).getAsInt();
    }

    @Test
    void whatWasEncodedComesBack() {
        RandomText texts = new RandomText(5, List.of("<|end|>", "là"));
        for (int i = 0; i < 2000; i++) {
            String text = texts.next();
            assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
            assertThat(tokenizer.decode(tokenizer.encode(text, false))).isEqualTo(text);
        }
    }

    /** Any ids: the parts together are what Java makes of all the bytes, and no part takes back another. */
    @Test
    void streamsWhatTheWholeDecodesTo() {
        Random random = new Random(3);
        for (int i = 0; i < 20_000; i++) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            StringBuilder streamed = new StringBuilder();
            Decoder decoder = tokenizer.decoder(false);
            for (int n = random.nextInt(12); n > 0; n--) {
                int id = random.nextInt(4) == 0
                        ? random.nextInt(tokenizer.vocabSize() + 5)
                        : b(random.nextInt(random.nextBoolean() ? 0x80 : 0xC0, 0x100)
                                & (random.nextBoolean() ? 0xFF : 0xBF));
                bytes.writeBytes(tokenizer.bytes(id));
                streamed.append(decoder.accept(id));

                Decoder resumed = tokenizer.decoder(false);
                resumed.restore(decoder.pending());
                decoder = resumed;
            }
            streamed.append(decoder.finish());
            assertThat(streamed).hasToString(lossy(bytes.toByteArray()));
        }
    }

    /** UTF-8 with U+FFFD for each maximal beginning; Java takes the three bytes of a surrogate for one beginning. */
    private static String lossy(byte[] bytes) {
        for (int i = 0; i + 1 < bytes.length; i++) {
            if (bytes[i] == (byte) 0xED && (bytes[i + 1] & 0xE0) == 0xA0) {
                bytes[i] = (byte) 0xFF;
            }
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Test
    void holdsBackACharacterUntilItIsWhole() {
        Decoder decoder = tokenizer.decoder(false);
        assertThat(decoder.accept(b(0xF0))).isEmpty();
        assertThat(decoder.accept(b(0x9F))).isEmpty();
        assertThat(decoder.accept(b(0x98))).isEmpty();
        assertThat(decoder.pending()).containsExactly(0xF0, 0x9F, 0x98);
        assertThat(decoder.accept(b(0x80))).isEqualTo("😀");
        assertThat(decoder.pending()).isEmpty();

        assertThat(decoder.accept(b(0xE2))).isEmpty();
        assertThat(decoder.accept(b('a'))).isEqualTo("\ufffda"); // can no longer become a character
        assertThat(decoder.accept(b(0xED))).isEmpty();
        assertThat(decoder.accept(b(0xA0))).isEqualTo("\ufffd\ufffd"); // a surrogate is none
        assertThat(decoder.accept(b(0xE2))).isEmpty();
        assertThat(decoder.accept(b(0x82))).isEmpty();
        assertThat(decoder.finish()).isEqualTo("\ufffd");
        assertThat(decoder.accept(b('a'))).isEqualTo("a");
    }

    @Test
    void restoresOnlyTheBeginningOfACharacter() {
        Decoder decoder = tokenizer.decoder(false);
        for (byte[] bytes : List.of(new byte[] {'a'}, new byte[] {(byte) 0xFF}, new byte[] {-16, -97, -104, -128})) {
            assertThatThrownBy(() -> decoder.restore(bytes)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(decoder.pending()).isEmpty();
    }

    @Test
    void specialTokensAreShownOrSkipped() {
        int[] ids = tokenizer.encode("the<|end|>boat");
        assertThat(tokenizer.decode(ids)).isEqualTo("the<|end|>boat");
        assertThat(tokenizer.decode(ids, true)).isEqualTo("theboat");
        Decoder decoder = tokenizer.decoder(true);
        assertThat(decoder.accept(tokenizer.id("<|end|>").getAsInt())).isEmpty();
    }

    @Test
    void idsWithoutATokenAreNothing() {
        for (int id : new int[] {-1, tokenizer.vocabSize(), Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThat(tokenizer.bytes(id)).isEmpty();
            assertThat(tokenizer.token(id)).isNull();
            assertThat(tokenizer.isSpecial(id)).isFalse();
            assertThat(tokenizer.decode(id)).isEmpty();
        }
    }

    @Test
    void tokensByNameAndId() {
        int the = tokenizer.id("Ġthe").getAsInt();
        assertThat(tokenizer.token(the)).isEqualTo("Ġthe");
        assertThat(tokenizer.bytes(the)).isEqualTo(" the".getBytes(StandardCharsets.UTF_8));
        assertThat(tokenizer.id(" the")).isEmpty();
        int added = tokenizer.id("là").getAsInt();
        assertThat(added).isEqualTo(tokenizer.vocabSize() - 1);
        assertThat(tokenizer.token(added)).isEqualTo("là");
        assertThat(tokenizer.bytes(added)).isEqualTo("là".getBytes(StandardCharsets.UTF_8));
        assertThat(tokenizer.isSpecial(added)).isFalse();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            assertThat(tokenizer.id(tokenizer.token(id))).hasValue(id);
        }
    }
}
