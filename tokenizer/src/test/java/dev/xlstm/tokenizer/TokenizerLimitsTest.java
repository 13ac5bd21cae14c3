package dev.xlstm.tokenizer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.StringJoiner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** Each limit of a tokenizer.json, at it and one past it; those of a text are EncoderTest's and NormalizationStageTest's. */
class TokenizerLimitsTest {

    private static final String JSON = new TinyTokenizer().json();

    @TempDir
    Path directory;

    private Tokenizer load(byte[] json) throws IOException {
        return Tokenizer.load(Files.write(directory.resolve("tokenizer.json"), json));
    }

    /** What is wrong with a file; empty if nothing is. */
    private String problem(String json) throws IOException {
        try {
            load(json.getBytes(StandardCharsets.UTF_8));
            return "";
        } catch (TokenizerException e) {
            return e.getMessage();
        }
    }

    private String problem(String from, String to) throws IOException {
        assertThat(JSON).contains(from);
        return problem(JSON.replace(from, to));
    }

    @Test
    void bytesOfTheFile() throws IOException {
        byte[] json = JSON.getBytes(StandardCharsets.UTF_8);
        byte[] most = Arrays.copyOf(json, TokenizerLimits.FILE_BYTES);
        Arrays.fill(most, json.length, most.length, (byte) ' ');
        assertThat(load(most).encode("the boat")).isNotEmpty();
        byte[] more = Arrays.copyOf(most, most.length + 1);
        assertThatThrownBy(() -> load(more))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("more than the " + TokenizerLimits.FILE_BYTES);
    }

    @Test
    void ids() throws IOException {
        String added = "\"added_tokens\":[";
        String token = "{\"id\":%,\"content\":\"<new>\"}";
        assertThat(problem(added, added + token.replace("%", "" + (TokenizerLimits.IDS - 1))))
                .isEmpty();
        assertThat(problem(added, added + token.replace("%", "" + TokenizerLimits.IDS)))
                .contains("an id from 0 to " + (TokenizerLimits.IDS - 1));
    }

    @Test
    void merges() throws IOException {
        String begin = "\"merges\":[";
        int first = JSON.indexOf(begin) + begin.length();
        int end = JSON.indexOf(']', first);
        int there = JSON.substring(first, end).split("\",\"").length;
        String merge = JSON.substring(first, JSON.indexOf(',', first) + 1);
        String most = merge.repeat(TokenizerLimits.MERGES - there);
        String past = problem(begin, begin + merge + most);
        assertThat(past).contains("more than " + TokenizerLimits.MERGES + " entries");
        assertThat(problem(begin, begin + most)).doesNotContain("more than");
    }

    @Test
    void addedTokens() throws IOException {
        String begin = "\"added_tokens\":[";
        StringJoiner most = new StringJoiner(",");
        int length = TokenizerLimits.ADDED_TOKENS_CHARS / TokenizerLimits.ADDED_TOKENS;
        for (int i = 0; i < TokenizerLimits.ADDED_TOKENS; i++) {
            String content = String.format("%0" + length + "x", i);
            most.add("{\"id\":" + (2000 + i) + ",\"content\":\"" + content + "\"}");
        }
        assertThat(problem(begin, begin + most)).isEmpty();
        assertThat(problem(begin, begin + most + ",{\"id\":1999,\"content\":\"x\"}"))
                .contains("more than " + TokenizerLimits.ADDED_TOKENS + " entries");
    }

    @Test
    void lengthOfTokensAndPatterns() throws IOException {
        String begin = "\"added_tokens\":[";
        String token = "{\"id\":1999,\"content\":\"%\"}";
        assertThat(problem(begin, begin + token.replace("%", "x".repeat(TokenizerLimits.ADDED_TOKEN_CHARS))))
                .isEmpty();
        assertThat(problem(begin, begin + token.replace("%", "x".repeat(TokenizerLimits.ADDED_TOKEN_CHARS + 1))))
                .contains("characters");
        String vocab = "\"vocab\":{";
        assertThat(problem(vocab, vocab + "\"" + "x".repeat(TokenizerLimits.TOKEN_CHARS) + "\":1999,"))
                .isEmpty();
        assertThat(problem(vocab, vocab + "\"" + "x".repeat(TokenizerLimits.TOKEN_CHARS + 1) + "\":1999,"))
                .contains("characters");
        assertThat(pattern(TokenizerLimits.PATTERN_CHARS)).isEmpty();
        assertThat(pattern(TokenizerLimits.PATTERN_CHARS + 1))
                .contains("expected 1 to " + TokenizerLimits.PATTERN_CHARS);
    }

    private String pattern(int length) throws IOException {
        return problem(new TinyTokenizer()
                .preTokenizer(TinyTokenizer.splitThenBytes("a".repeat(length), "Isolated", false))
                .json());
    }

    @Test
    void nestingAndValuesOfTheSmallParts() throws IOException {
        int arrays = TokenizerLimits.JSON_DEPTH - 1; // in the file's object
        String most = "[".repeat(arrays) + "]".repeat(arrays);
        assertThat(problem("\"truncation\":null", "\"truncation\":" + most)).isEmpty();
        assertThat(problem("\"truncation\":null", "\"truncation\":[" + most + "]"))
                .contains("not valid JSON");
        // the part itself, and its list
        String normalizers = "{\"type\":\"Sequence\",\"normalizers\":[%]}";
        String nothing = "\"normalizer\":null";
        String list = "1,".repeat(TokenizerLimits.JSON_VALUES - 4) + "1";
        assertThat(problem(nothing, "\"normalizer\":" + normalizers.replace("%", list)))
                .doesNotContain("more than");
        assertThat(problem(nothing, "\"normalizer\":" + normalizers.replace("%", list + ",1")))
                .contains("more than " + TokenizerLimits.JSON_VALUES + " values");
    }

    /** Patterns that take exponential time: each ends, by being given up. */
    @Test
    void stepsOfAPattern() throws IOException {
        for (String pattern :
                new String[] {"(a+)+b", "(?:a|aa)*b", "(a*)*c", "(?:a{1,50}){1,50}b", "(.*)*(.*)*(.*)*x"}) {
            Tokenizer tokenizer = load(new TinyTokenizer()
                    .preTokenizer(TinyTokenizer.splitThenBytes(pattern, "Isolated", false))
                    .json()
                    .getBytes(StandardCharsets.UTF_8));
            try {
                assertThat(tokenizer.decode(tokenizer.encode("a".repeat(5000) + "!", true)))
                        .hasSize(5001);
            } catch (RuntimeException e) {
                assertThat(e).hasMessageContaining("pattern");
            }
        }
    }
}
