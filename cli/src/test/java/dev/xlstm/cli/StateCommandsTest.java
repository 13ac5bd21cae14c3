package dev.xlstm.cli;

import dev.xlstm.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/** State files, endless prompts and events, on the demo model. */
class StateCommandsTest {

    private static final String DEMO = CliRun.DEMO.toString();
    private static final String STORY = "Once upon a time there was a cat.\nThe cat had a hat.\n";

    @TempDir
    Path directory;

    private String state;

    @BeforeEach
    void name() {
        state = directory.resolve("a.state").toString();
    }

    private static CliRun run(String stdin, String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(1, List.of("--model", DEMO));
        return CliRun.with(stdin, List.of(), all.toArray(String[]::new));
    }

    private static String text(CliRun run) {
        return run.json().get("text").asString();
    }

    @Test
    void aPrimedPromptIsThePromptItself() {
        CliRun primed = run(STORY, "prime", "-o", state);
        assertThat(primed).isEqualTo(new CliRun(0, "", ""));
        String[] question = {"generate", "-t", "0", "-n", "12", "--json", "Then the dog"};
        String whole = text(run(STORY, question));
        assertThat(text(run("", "generate", "-t", "0", "-n", "12", "--json", "--state", state, "Then the dog")))
                .isEqualTo(whole);
        assertThat(text(run("", "generate", "-t", "0", "-n", "12", "--json", "--state", state)))
                .as("without a prompt")
                .isEqualTo(text(run(STORY, "generate", "-t", "0", "-n", "12", "--json")));
    }

    @Test
    void partsOfATextAreTheTextThatNeverStopped() {
        String[] sampling = {"--seed", "5", "--repetition-penalty", "1.2", "--stop", "the end of it all"};
        String whole = run(STORY, with(sampling, "generate", "-n", "40")).out();
        StringBuilder parts = new StringBuilder();
        CliRun first = run(STORY, with(sampling, "generate", "-n", "13", "--save-state", state));
        assertThat(first.code()).isZero();
        parts.append(first.out());
        parts.append(run("", with(sampling, "generate", "-n", "9", "--state", state, "--save-state", state))
                .out());
        // the seed is in the file
        String[] unseeded = {"--repetition-penalty", "1.2", "--stop", "the end of it all"};
        parts.append(run("", with(unseeded, "generate", "-n", "18", "--state", state))
                .out());
        assertThat(parts).hasToString(whole);
    }

    private static String[] with(String[] more, String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void aStateAloneAddsNothing() {
        run("Once", "prime", "-o", state);
        JsonNode json = run("", "generate", "-t", "0", "-n", "3", "--json", "--state", state)
                .json();
        assertThat(json.get("usage").get("prompt_tokens").asInt()).isZero();
        JsonNode joined = run("", "generate", "-n", "3", "--json", "--join", "", "--state", state, " upon")
                .json();
        assertThat(joined.get("usage").get("prompt_tokens").asInt()).isEqualTo(1);
    }

    @Test
    void primingGoesOnFromAState() {
        run("Once upon", "prime", "-o", state);
        run(" a time", "prime", "--join", "", "--state", state, "-o", state);
        assertThat(text(run("", "generate", "-t", "0", "-n", "8", "--json", "--state", state)))
                .isEqualTo(text(run("Once upon a time", "generate", "-t", "0", "-n", "8", "--json")));
    }

    @Test
    void bf16IsWhatItSays() throws IOException {
        run(STORY, "prime", "-o", state, "--state-dtype", "bf16");
        try (SafetensorsFile file = SafetensorsFile.open(Path.of(state))) {
            assertThat(file.tensors().get("layers.0.c").dtype()).hasToString("BF16");
        }
        assertThat(run("", "generate", "-n", "3", "--state", state).code()).isZero();
    }

    @Test
    void statesThatDoNotFitAreRefusedInOneLine() throws IOException {
        run(STORY, "prime", "-o", state);
        CliRun other = run("", "generate", "--format", "q8_0", "--state", state, "x");
        assertThat(other.code()).isEqualTo(1);
        assertThat(other.out()).isEmpty();
        assertThat(other.err()).startsWith("xlstm: " + state).contains("weights; this one has q8_0");
        byte[] bytes = Files.readAllBytes(Path.of(state));
        bytes[bytes.length - 1000] ^= 1;
        Files.write(Path.of(state), bytes);
        assertThat(run("", "generate", "--state", state, "x").err())
                .isEqualTo("xlstm: " + state + ": was altered or damaged: its checksum does not fit; make it anew\n");
        assertThat(run("", "generate", "--state", directory + "/none", "x").err())
                .isEqualTo("xlstm: " + directory + "/none: no such file\n");
    }

    @Test
    void whereNoStateCanBeWrittenIsSaidBeforeTheWork() {
        CliRun run = run("", "generate", "--save-state", directory + "/none/a.state", "x");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains("no state can be written there");
        assertThat(run("", "prime", "-o", directory.toString(), "x").code()).isEqualTo(2);
        assertThat(run("", "prime", "x").err()).contains("--output");
    }

    @Test
    void eventsTellWhatJsonTells() {
        String[] sampling = {"--seed", "3", "-n", "7", "Once upon a time, café"};
        JsonNode whole =
                run("", with(sampling, "generate", "--json", "--logprobs", "2")).json();
        CliRun run = run("", with(sampling, "generate", "--jsonl", "--logprobs", "2", "--echo"));
        List<JsonNode> events = run.out()
                .lines()
                .map(line -> JsonMapper.shared().readTree(line))
                .toList();
        assertThat(events.getFirst().get("event").asString()).isEqualTo("prompt");
        assertThat(events.getFirst().get("text").asString()).isEqualTo("Once upon a time, café");
        List<JsonNode> tokens = events.subList(1, events.size() - 1);
        JsonNode end = events.getLast();
        assertThat(end.get("event").asString()).isEqualTo("end");
        assertThat(end.get("finish_reason")).isEqualTo(whole.get("finish_reason"));
        assertThat(end.get("usage")).isEqualTo(whole.get("usage"));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < tokens.size(); i++) {
            JsonNode token = tokens.get(i);
            assertThat(token.get("event").asString()).isEqualTo("token");
            assertThat(token.get("index").asInt()).isEqualTo(i);
            assertThat(token.get("id")).isEqualTo(whole.get("token_ids").get(i));
            JsonNode same = whole.get("logprobs").get(i);
            assertThat(token.get("logprob")).isEqualTo(same.get("logprob"));
            assertThat(token.get("top_logprobs")).isEqualTo(same.get("top_logprobs"));
            assertThat(token.get("top_logprobs").size()).isEqualTo(2);
            assertThat(token.get("logprob").asDouble())
                    .isLessThanOrEqualTo(
                            token.get("top_logprobs").get(0).get("logprob").asDouble());
            text.append(token.get("text").asString());
        }
        text.append(end.get("text").asString());
        assertThat(text).hasToString(whole.get("text").asString());
    }

    /** The probability of a token is what score says of it. */
    @Test
    void logProbabilitiesAreThoseOfTheModel() {
        JsonNode json = run("", "generate", "-n", "1", "-t", "0", "--json", "--logprobs", "0", "Once upon")
                .json();
        JsonNode token = json.get("logprobs").get(0);
        assertThat(token.has("top_logprobs")).isFalse();
        JsonNode scored = run(
                        "", "score", "--json", "Once upon" + json.get("text").asString())
                .json()
                .get("logprobs");
        double expected = scored.get(scored.size() - 1).asDouble();
        assertThat(token.get("logprob").asDouble()).isCloseTo(expected, within(1e-4));
    }

    @Test
    void flagsThatContradictAreUsageErrors() {
        assertThat(run("", "generate", "--json", "--jsonl", "x").code()).isEqualTo(2);
        assertThat(run("", "generate", "--logprobs", "2", "x").code()).isEqualTo(2);
        assertThat(run("", "generate", "--json", "--logprobs", "-1", "x").code())
                .isEqualTo(2);
        assertThat(run("", "generate", "--state-dtype", "f8", "x").code()).isEqualTo(2);
    }

    /** The warning comes once, and only where someone looks. */
    @Test
    void aTextLongerThanThoseOfTrainingIsWarnedOfOnce() {
        String longText = "The cat sat on the mat. ".repeat(2000);
        CliRun run = run(longText, "generate", "-n", "1", "--stats");
        assertThat(run.err().lines().filter(line -> line.startsWith("xlstm: warning: the text is longer than the")))
                .hasSize(1);
        assertThat(run(longText, "generate", "-n", "1").err()).isEmpty();
        assertThat(run("short", "generate", "-n", "1", "--stats").err()).doesNotContain("warning");
    }

    /** Text, ids and result do not depend on its size being known. */
    @Test
    void aFileAndAPipeReadTheSame() throws IOException {
        String text = "A dog 🐶 said “wow”. ".repeat(500);
        Path file = Files.writeString(directory.resolve("text"), text, StandardCharsets.UTF_8);
        CliRun fromFile = run("", "generate", "-t", "0", "-n", "5", "-f", file.toString());
        assertThat(run(text, "generate", "-t", "0", "-n", "5")).isEqualTo(fromFile);
        assertThat(run("", "generate", "-t", "0", "-n", "5", text)).isEqualTo(fromFile);
    }
}
