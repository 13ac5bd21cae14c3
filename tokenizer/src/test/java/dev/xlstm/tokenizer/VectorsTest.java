package dev.xlstm.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Ids that llama.cpp's test vectors expect of real vocabularies. */
class VectorsTest {
    @ParameterizedTest
    @CsvSource({
        "gpt-neox, vectors/ggml-vocab-mpt",
        "gpt-neox, vectors/set2/ggml-vocab-mpt",
        "gpt2, vectors/ggml-vocab-gpt-2",
        "gpt2, vectors/set2/ggml-vocab-gpt-2"
    })
    void givesTheExpectedIds(String model, String vectors) throws IOException {
        Path tokenizerJson = SharedFiles.tokenizer(model + "/tokenizer.json");
        Tokenizer tokenizer = Tokenizer.load(tokenizerJson);
        String[] inputs =
                Files.readString(SharedFiles.tokenizer(vectors + ".gguf.inp")).split("\n__ggml_vocab_test__\n", -1);
        List<String> expected = Files.readAllLines(SharedFiles.tokenizer(vectors + ".gguf.out"));

        assertThat(expected).hasSize(46);
        for (int i = 0; i < expected.size(); i++) {
            String line = expected.get(i).strip();
            int[] ids = line.isEmpty()
                    ? new int[0]
                    : Arrays.stream(line.split("\\s+"))
                            .mapToInt(Integer::parseInt)
                            .toArray();
            assertThat(tokenizer.encode(inputs[i]))
                    .as("input %d: %s", i, inputs[i])
                    .isEqualTo(ids);
            assertThat(tokenizer.decode(ids)).isEqualTo(inputs[i]);
        }
    }
}
