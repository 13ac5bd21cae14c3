package dev.xlstm.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
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
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-neox", "gpt2"})
    void realVocabularies(String model) throws IOException {
        Path file = SharedFiles.tokenizer(model + "/tokenizer.json");
        compare(file, List.of("<|endoftext|>", "<|padding|>", "  ", "<|endoftext|"), STRINGS);
    }

    @Test
    void gpt2Style() throws IOException {
        compare(new TinyTokenizer().added("<|endoftext|>", "special", "normalized"), STRINGS);
    }

    private void compare(TinyTokenizer tiny, int strings) throws IOException {
        compare(tiny.write(dir), List.of("<|endoftext|>", "<s>", "é", "  "), strings);
    }

    private static void compare(Path file, List<String> tokens, int strings) throws IOException {
        Tokenizer ours = Tokenizer.load(file);
        RandomText texts = new RandomText(42, tokens);
        try (HuggingFaceTokenizer oracle = HuggingFaceTokenizer.newInstance(
                file, Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false"))) {
            for (int i = 0; i < strings; i++) {
                String text = texts.next();
                int[] expected = Arrays.stream(oracle.encode(text, false, false).getIds())
                        .mapToInt(Math::toIntExact)
                        .toArray();
                assertThat(ours.encode(text))
                        .as("text %d: %s", i, TinyTokenizer.quote(text))
                        .isEqualTo(expected);
            }
        }
    }
}
