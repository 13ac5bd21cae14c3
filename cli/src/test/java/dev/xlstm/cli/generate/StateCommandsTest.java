package dev.xlstm.cli.generate;

import dev.xlstm.cli.CliRun;
import dev.xlstm.safetensors.DType;
import dev.xlstm.safetensors.SafetensorsFile;
import dev.xlstm.safetensors.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
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
    void aStateOfAnotherShapeOrArchitectureIsRefusedInALine() {
        String[] models = {
            CliRun.FIXTURES.resolve("tiny-f32").toString(),
            CliRun.FIXTURES.resolve("tiny-long").toString(),
            CliRun.BLOCK_FIXTURES.resolve("blocks-mixed").toString(),
            CliRun.BLOCK_FIXTURES.resolve("blocks-slstm").toString(),
        };
        for (String from : models) {
            assertThat(CliRun.xlstm("generate", "-m", from, "--prompt-ids", "1,2", "-n", "1", "--save-state", state)
                            .code())
                    .isZero();
            for (String to : models) {
                CliRun run = CliRun.xlstm("generate", "-m", to, "--state", state, "--prompt-ids", "1", "-n", "1");
                if (from.equals(to)) {
                    assertThat(run.code()).isZero();
                } else {
                    assertThat(run.code()).isEqualTo(1);
                    assertThat(run.out()).isEmpty();
                    assertThat(run.err()).startsWith("xlstm: " + state + ": ").hasLineCount(1);
                }
            }
        }
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
                .isEqualTo("xlstm: " + state
                        + ": was altered or damaged: its checksum does not match; recreate it with xlstm prime\n");
        assertThat(run("", "generate", "--state", directory + "/none", "x").err())
                .isEqualTo("xlstm: " + directory + "/none: no such file\n");
    }

    @Test
    void whereNoStateCanBeWrittenIsSaidBeforeTheWork() {
        CliRun run = run("", "generate", "--save-state", directory + "/none/a.state", "x");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.err()).contains("cannot be written; name a file in an existing directory");
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

    /** Each sample's events are the object of its seed, and its state goes on as the text of that seed. */
    @Test
    void samplesHaveEventsProbabilitiesAndStatesOfTheirOwn() {
        String[] all = {"generate", "--seed", "3", "-n", "6", "--num-samples", "3", "--logprobs", "1", "Once upon"};
        JsonNode objects = JsonMapper.shared()
                .readTree(run("", with(new String[] {"--json"}, all)).out());
        CliRun run = run("", with(new String[] {"--jsonl", "--echo", "--save-state", state}, all));
        List<JsonNode> events = run.out()
                .lines()
                .map(line -> JsonMapper.shared().readTree(line))
                .toList();
        assertThat(events.stream().filter(e -> e.get("event").asString().equals("prompt")))
                .hasSize(1);
        assertThat(events).hasSize(1 + 3 * 7);
        for (int sample = 1; sample <= 3; sample++) {
            int number = sample;
            JsonNode object = objects.get(sample - 1);
            List<JsonNode> own = events.stream()
                    .filter(e -> e.has("sample") && e.get("sample").asInt() == number)
                    .toList();
            assertThat(object.get("logprobs").size()).isEqualTo(6);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 6; i++) {
                assertThat(own.get(i).get("index").asInt()).isEqualTo(i);
                assertThat(own.get(i).get("id"))
                        .isEqualTo(object.get("token_ids").get(i));
                assertThat(own.get(i).get("top_logprobs").get(0).get("id"))
                        .isEqualTo(object.get("logprobs")
                                .get(i)
                                .get("top_logprobs")
                                .get(0)
                                .get("id"));
            }
            own.forEach(event -> text.append(event.get("text").asString()));
            assertThat(text).hasToString(object.get("text").asString());
            assertThat(own.getLast().get("seed").asInt()).isEqualTo(2 + sample);
            String whole = text(run("", "generate", "--seed", "" + (2 + sample), "-n", "11", "--json", "Once upon"));
            String rest = text(run("", "generate", "-n", "5", "--json", "--state", state + "." + sample));
            assertThat(text + rest).isEqualTo(whole);
        }
        assertThat(Path.of(state)).doesNotExist();
    }

    /** Cut in the middle of a grammar, which the next part ends. */
    @Test
    void aGrammarGoesOnFromAState() throws IOException {
        String grammar = Files.writeString(directory.resolve("g"), "root ::= \"{\" [a-z]+ \"}\"")
                .toString();
        CliRun first = run("", "generate", "--seed", "1", "-n", "3", "--grammar", grammar, "--save-state", state, "x");
        assertThat(first.out()).startsWith("{").doesNotContain("}");
        assertThat(first.err()).as("to be gone on with is no failure").isEmpty();
        CliRun second = run("", "generate", "--seed", "1", "-n", "6", "--grammar", grammar, "--state", state);
        assertThat(first.out() + second.out()).matches("\\{[a-z]+}\n");
        CliRun other = run("", "generate", "--json-schema", "{}", "--state", state);
        assertThat(other.code()).isEqualTo(1);
        assertThat(other.err())
                .startsWith("xlstm: the text stopped within another grammar")
                .hasLineCount(1);
    }

    /** The file as Python's own reader sees it. */
    @Test
    void pythonReadsStateFiles() throws Exception {
        String script = """
                import sys
                from safetensors import safe_open
                with safe_open(sys.argv[1], "np") as f:
                    print(f.metadata()["format"], f.metadata()["tokens"])
                    for name in sorted(f.keys()):
                        tensor = f.get_tensor(name)
                        print(name, list(tensor.shape), tensor.dtype, float(abs(tensor).sum(dtype="float64")))
                """;
        Process probe = new ProcessBuilder("sh", "-c", "python3 -c 'import safetensors.numpy'")
                .redirectErrorStream(true)
                .start();
        probe.getInputStream().readAllBytes();
        Assumptions.assumeTrue(probe.waitFor() == 0, "no python3 with safetensors and numpy on the PATH");
        run(STORY, "prime", "-o", state);
        Process python = new ProcessBuilder("python3", "-c", script, state).start();
        List<String> lines = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .toList();
        String error = new String(python.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(python.waitFor()).as(error).isZero();
        try (SafetensorsFile file = SafetensorsFile.open(Path.of(state))) {
            assertThat(lines.getFirst())
                    .isEqualTo("xlstm-state " + file.metadata().get("tokens"));
            assertThat(lines).hasSize(1 + file.tensors().size());
            for (String line : lines.subList(1, lines.size())) {
                Tensor tensor = file.tensors().get(line.substring(0, line.indexOf(' ')));
                double sum = 0;
                for (long i = 0; i < tensor.elementCount(); i++) {
                    sum += tensor.dtype() == DType.I32
                            ? Math.abs(tensor.data().getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i))
                            : Math.abs(tensor.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i));
                }
                assertThat(line)
                        .contains(Arrays.toString(tensor.shape()) + " "
                                + (tensor.dtype() == DType.I32 ? "int32" : "float32"));
                double seen = Double.parseDouble(line.substring(line.lastIndexOf(' ')));
                assertThat(seen).isCloseTo(sum, within(1e-9 * Math.max(1, sum)));
            }
        }
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
