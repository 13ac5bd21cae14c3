package dev.xlstm.cli.chat;

import dev.xlstm.cli.CliRun;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** {@code chat --once} has the outputs and constraints of {@code generate}. */
class ChatOnceTest {

    private static CliRun once(String... more) {
        return CliRun.xlstm(
                Stream.concat(Stream.of("chat", "-m", CliRun.DEMO.toString(), "--once", "Hello!"), Stream.of(more))
                        .toArray(String[]::new));
    }

    @Test
    void textAndJsonSayTheSame() {
        assertThat(once("-n", "20", "-t", "0").out()).isEqualTo("Hi! It is nice to see you.\n");
        JsonNode json = once("-n", "20", "-t", "0", "--json").json();
        assertThat(json.path("text").asString()).isEqualTo("Hi! It is nice to see you.");
        assertThat(json.path("finish_reason").asString()).isIn("eos", "stop");
        assertThat(json.path("usage").path("completion_tokens").asInt())
                .isEqualTo(json.path("token_ids").size());
        List<JsonNode> events = once("-n", "20", "-t", "0", "--jsonl")
                .out()
                .lines()
                .map(line -> JsonMapper.shared().readTree(line))
                .toList();
        assertThat(events).hasSize(json.path("token_ids").size() + 1);
        assertThat(events.getLast().path("event").asString()).isEqualTo("end");
    }

    @Test
    void aSchemaConstrainsTheAnswer() {
        CliRun run = once(
                "-n",
                "80",
                "-t",
                "0",
                "--json-schema",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}},\"required\":[\"a\"],"
                        + "\"additionalProperties\":false}");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(JsonMapper.shared().readTree(run.out()).path("a").isBoolean())
                .isTrue();
    }

    /** Sample i of seed s is the answer of seed s + i. */
    @Test
    void samplesHaveConsecutiveSeeds() {
        String[] wild = {"-t", "2", "--top-k", "0", "--top-p", "1", "--min-p", "0", "-n", "8", "--seed"};
        CliRun all = once(Stream.concat(Stream.of(wild), Stream.of("5", "--num-samples", "3", "--json"))
                .toArray(String[]::new));
        JsonNode samples = JsonMapper.shared().readTree(all.out());
        assertThat(samples.size()).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            JsonNode alone = once(Stream.concat(Stream.of(wild), Stream.of("" + (5 + i), "--json"))
                            .toArray(String[]::new))
                    .json();
            assertThat(samples.get(i).path("token_ids")).isEqualTo(alone.path("token_ids"));
            assertThat(samples.get(i).path("seed").asInt()).isEqualTo(5 + i);
        }
    }

    @Test
    void formatsNeedOnce() {
        CliRun run = CliRun.with("", List.of("in", "out", "err"), "chat", "-m", CliRun.DEMO.toString(), "--json");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).startsWith("xlstm: constraints and output formats need --once\n");
    }
}
