package dev.xlstm.tokenizer;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

class SplitPatternTest {
    static Stream<Arguments> byHand() {
        return Stream.of(
                Arguments.of(new Gpt2Pattern(), Gpt2Pattern.REGEX),
                Arguments.of(new Llama3Pattern(3), Llama3Pattern.LLAMA3_REGEX),
                Arguments.of(new Llama3Pattern(1), Llama3Pattern.QWEN2_REGEX),
                Arguments.of(new CharPattern(CharClass::isNumber), "\\p{N}"),
                Arguments.of(new LiteralPattern("'s"), "'s"));
    }

    private static List<String> split(SplitPattern pattern, String text) {
        Collector collector = new Collector();
        SplitStage stage = new SplitStage(pattern, SplitStage.Behavior.ISOLATED, false, collector);
        stage.text(text.toCharArray(), 0, text.length());
        stage.end();
        return collector.stretches;
    }

    @ParameterizedTest
    @MethodSource
    void byHand(SplitPattern pattern, String regex) throws TokenizerException {
        SplitPattern oracle = RegexPattern.compile("test", regex);
        RandomText texts =
                new RandomText(31, List.of("'", "r", "l", "\r", "\n", " ", "1", "٣", "²", "!", "a", "漢", "\u0301"));
        for (int i = 0; i < 10_000; i++) {
            String text = texts.next();
            assertThat(split(pattern, text)).as(TinyTokenizer.quote(text)).isEqualTo(split(oracle, text));
        }
    }

    /** Undecided means undecided: a match given before the text ends is the match whatever follows. */
    @ParameterizedTest
    @MethodSource("byHand")
    void whatIsDecidedEarlyStays(SplitPattern pattern, String regex) throws TokenizerException {
        RandomText texts = new RandomText(32, List.of("'", "r", "l", "\r", "\n", " ", "1", "!", "a"));
        Random random = new Random(33);
        for (SplitPattern either : List.of(pattern, RegexPattern.compile("test", regex))) {
            for (int i = 0; i < 10_000; i++) {
                char[] text = texts.next().toCharArray();
                int to = random.nextInt(text.length) + 1;
                if (Character.isHighSurrogate(text[to - 1])) {
                    to--;
                }
                long early = to == 0 ? -1 : either.find(text, 0, to, false);
                long whole = either.find(text, 0, text.length, true);
                if (early >= 0) {
                    assertThat(early).isEqualTo(whole);
                } else if (whole >= 0) {
                    assertThat(whole >>> 32).isGreaterThanOrEqualTo(~early);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?<=a)b",
                "(?<!a)b",
                "\\bword",
                "^a",
                "a$",
                "\\Aa",
                "\\Ga",
                "\\ha",
                "(?<n>a)",
                "(?m:a)",
                "[[:alpha:]]",
                "a{2}+",
                "(a)\\1",
                "\\p{Foo}",
                "\\pL",
                "[\\W]",
                "[\\b]",
                "\\x80",
                "[]a]",
                "a\\"
            })
    void refusesByName(String regex) {
        assertThatThrownBy(() -> RegexPattern.compile("file: field", regex))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith("file: field: the regular expression has ")
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[a", "a{3,1}", "*a", "\\x{110000}", "\\u12", "[z-a]", "\\p{", "(?i", "(?"})
    void refusesWhatDoesNotCompile(String regex) {
        assertThatThrownBy(() -> RegexPattern.compile("file: field", regex))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith("file: field: ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void refusesDeepNesting() {
        String regex = "(".repeat(2000) + "a" + ")".repeat(2000);
        Throwable thrown = catchThrowable(() -> RegexPattern.compile("file: field", regex));
        if (thrown != null) { // the stack may be large enough
            assertThat(thrown).isInstanceOf(TokenizerException.class).hasMessageNotContaining("\n");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"(a+)+b", "(?:a|aa)+b", "(?:a|b)*c", "(\\w+\\s?)+!"})
    void givesUpOnRunawayPatterns(String regex) throws TokenizerException {
        SplitPattern pattern = RegexPattern.compile("file: field", regex);
        assertThatThrownBy(() -> split(pattern, "a".repeat(100_000)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("backtracks too much");
    }
}
