package dev.xlstm.tokenizer;

import java.text.Normalizer;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** Where text may be cut before it is normalised, held against the JDK's normaliser for every code point. */
class NormalizationStageTest {
    private static String nfc(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFC);
    }

    private static String nfd(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFD);
    }

    private static boolean reordered(String text) {
        return !nfd(text).equals(nfd(text.substring(0, 1)) + nfd(text.substring(1)));
    }

    @Test
    void boundariesHold() {
        BitSet seconds = new BitSet(); // what stands second or later in the decomposition of a composed character
        Set<String> firsts = new HashSet<>();
        for (int c = 0; c < 0x110000; c++) {
            String decomposed = nfd(Character.toString(c));
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                decomposed.codePoints().skip(1).forEach(seconds::set);
                if (decomposed.codePointCount(0, decomposed.length()) > 1) {
                    firsts.add(Character.toString(decomposed.codePointAt(0)));
                }
            }
        }
        int boundaries = 0;
        for (int c = 0; c < 0x110000; c++) {
            String text = Character.toString(c);
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                continue;
            }
            if (NormalizationStage.isBoundary(c)) {
                boundaries++;
                int first = nfd(text).codePointAt(0);
                assertThat(seconds.get(first))
                        .as("U+%04X composes with what is before", c)
                        .isFalse();
                // a character with a combining class (1 to 240) changes places with one of class 240 or 1
                boolean moves = reordered("\u0345" + text)
                        || reordered("\u0334" + text)
                        || !nfd(text + "\u0334").equals(nfd(text) + "\u0334")
                                && nfd(text).length() == text.length();
                assertThat(moves).as("U+%04X has a combining class", c).isFalse();
            }
            if (NormalizationStage.isInert(c)) {
                assertThat(firsts).as("U+%04X composes with what follows", c).doesNotContain(text);
            }
        }
        assertThat(boundaries).isGreaterThan(1_100_000);
    }

    @Test
    void normalisesInParts() {
        RandomText texts =
                new RandomText(21, java.util.List.of("가\u11a8", "\u1100\u1161\u11a8", "क\u093c", "A\u030a\u0301"));
        Random random = new Random(22);
        for (int i = 0; i < 5000; i++) {
            String text = texts.next();
            Collector collected = new Collector();
            NormalizationStage stage = new NormalizationStage(Normalizer.Form.NFC, collected);
            for (int from = 0; from < text.length(); ) {
                int to = Math.min(text.length(), from + random.nextInt(1, 9));
                if (Character.isHighSurrogate(text.charAt(to - 1))) {
                    to++;
                }
                stage.text(text.toCharArray(), from, to);
                from = to;
            }
            stage.end();
            assertThat(collected.text()).isEqualTo(nfc(text));
        }
    }

    @Test
    void aLongRunOfCombiningCharactersIsNormalisedInParts() {
        String part = "\u0301\u0316".repeat(TokenizerLimits.COMBINING_CHARS / 2);
        Collector collected = new Collector();
        NormalizationStage stage = new NormalizationStage(Normalizer.Form.NFC, collected);
        String text = " " + part + part;
        stage.text(text.toCharArray(), 0, text.length());
        stage.end();
        assertThat(collected.text()).isEqualTo(" " + nfc(part) + nfc(part)).isNotEqualTo(nfc(text));
    }
}
