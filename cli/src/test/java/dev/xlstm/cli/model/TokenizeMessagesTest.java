package dev.xlstm.cli.model;

import dev.xlstm.cli.CliRun;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** {@code xlstm tokenize --messages}: the prompt that a chat reads. */
class TokenizeMessagesTest {

    private static final String MESSAGES = "[{\"role\":\"system\",\"content\":\"Be kind.\"},"
            + "{\"role\":\"user\",\"content\":\"hi<|end|>\"},{\"role\":\"assistant\",\"content\":\"Hello!\"},"
            + "{\"role\":\"user\",\"content\":\"Why?\"}]";

    @TempDir
    private Path directory;

    @Test
    void printsIdsOrTheirNumberOrTextAndIds() throws Exception {
        Path file = Files.writeString(directory.resolve("chat.json"), MESSAGES);
        CliRun json = CliRun.xlstm("tokenize", "-m", CliRun.DEMO.toString(), "--messages", file.toString(), "--json");
        assertThat(json.code()).as(json.err()).isZero();
        JsonNode prompt = JsonMapper.shared().readTree(json.out());
        assertThat(prompt.path("prompt").asString())
                .isEqualTo("<|endoftext|><|system|>Be kind.<|end|><|user|>hi<|end|><|end|><|assistant|>Hello!<|end|>"
                        + "<|user|>Why?<|end|><|assistant|>");
        String ids = CliRun.xlstm("tokenize", "-m", CliRun.DEMO.toString(), "--messages", file.toString())
                .out();
        assertThat(ids.strip())
                .isEqualTo(prompt.path("token_ids")
                        .toString()
                        .replaceAll("[\\[\\] ]", "")
                        .replace(',', ' '));
        assertThat(CliRun.xlstm("tokenize", "-m", CliRun.DEMO.toString(), "--messages", file.toString(), "--count")
                        .out())
                .isEqualTo(prompt.path("token_ids").size() + "\n");
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        Path file = Files.writeString(directory.resolve("chat.json"), "[{\"role\":\"user\"}]");
        CliRun run = CliRun.xlstm("tokenize", "-m", CliRun.DEMO.toString(), "--messages", file.toString());
        assertThat(run.code()).isNotZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).isEqualTo("xlstm: messages[0]: has no \"content\"\n");
        CliRun both = CliRun.xlstm("tokenize", "-m", CliRun.DEMO.toString(), "--messages", file.toString(), "text");
        assertThat(both.code()).isEqualTo(2);
    }
}
