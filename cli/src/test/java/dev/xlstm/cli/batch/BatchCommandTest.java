package dev.xlstm.cli.batch;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.console.CliLimits;
import dev.xlstm.cli.console.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BatchCommandTest {

    private static final String DEMO = CliRun.DEMO.toString();

    @TempDir
    Path directory;

    private static List<JsonNode> lines(String jsonl) {
        assertThat(jsonl).endsWith("\n");
        return jsonl.lines().map(line -> JsonMapper.shared().readTree(line)).toList();
    }

    private Path input(int count) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // of all lengths: later lines are done before earlier ones
            lines.add("{\"id\":\"n" + i + "\",\"prompt\":\"Once upon a time there were " + i + " cats\",\"max_tokens\":"
                    + (i * 7 % 23) + "}");
        }
        return Files.write(directory.resolve("in.jsonl"), lines);
    }

    @Test
    void linesAnswerInOrderAsTheyWouldAlone() throws IOException {
        CliRun run = xlstm(
                "batch", "-m", DEMO, "-t", "0", "--batch-size", "5", input(20).toString());
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEqualTo("xlstm: batch: 20 generated\n");
        List<JsonNode> results = lines(run.out());
        assertThat(results).hasSize(20);
        for (int i = 0; i < 20; i++) {
            assertThat(results.get(i).get("id").asString()).isEqualTo("n" + i);
            JsonNode alone = xlstm(
                            "generate",
                            "-m",
                            DEMO,
                            "-t",
                            "0",
                            "--json",
                            "-n",
                            Integer.toString(i * 7 % 23),
                            "Once upon a time there were " + i + " cats")
                    .json();
            for (String field : List.of("text", "token_ids", "finish_reason")) {
                assertThat(results.get(i).get(field)).isEqualTo(alone.get(field));
            }
            assertThat(results.get(i).get("prompt_tokens"))
                    .isEqualTo(alone.get("usage").get("prompt_tokens"));
        }
    }

    @Test
    void aLineSaysWhatItWants() {
        String in = "{\"prompt\":\"Once\",\"max_tokens\":40,\"stop\":[\"time\"],\"temperature\":0,\"id\":7}\n"
                + "\n"
                + "{\"prompt_ids\":[0,5,9],\"max_tokens\":3,\"ignore_eos\":true,\"seed\":5,\"top_k\":3}\n";
        CliRun run = CliRun.with(in, List.of(), "batch", "-m", DEMO, "--seed", "1");
        List<JsonNode> results = lines(run.out());
        assertThat(results).hasSize(2);
        assertThat(results.get(0).get("id").asInt()).isEqualTo(7);
        assertThat(results.get(0).get("finish_reason").asString()).isEqualTo("stop");
        assertThat(results.get(0).get("stop").asString()).isEqualTo("time");
        assertThat(results.get(0).get("text").asString()).doesNotContain("time");
        assertThat(results.get(0).get("seed").asInt()).isEqualTo(1);
        assertThat(results.get(1).get("id").asInt()).isEqualTo(3); // its line
        assertThat(results.get(1).get("token_ids")).hasSize(3);
        assertThat(results.get(1).get("seed").asInt()).isEqualTo(5);
        assertThat(results.get(1).get("prompt_tokens").asInt()).isEqualTo(3);
    }

    /** Whatever is wrong with a line is said in its place, and the others are as if it were not there. */
    @Test
    void aBadLineIsNoOthersTrouble() {
        String in = String.join(
                "\n",
                "{\"id\":1,\"prompt\":\"A\",\"max_tokens\":2}",
                "{\"id\":2,\"prompt\":\"A\"",
                "[1]",
                "{\"id\":4,\"prompt\":\"A\",\"prompt_ids\":[1]}",
                "{\"id\":5}",
                "{\"id\":6,\"prompt\":\"A\",\"tempreature\":1}",
                "{\"id\":7,\"prompt\":\"A\",\"temperature\":-1}",
                "{\"id\":8,\"prompt_ids\":[99999]}",
                "{\"id\":9,\"prompt\":\"A\",\"max_tokens\":1e9}",
                "{\"id\":10,\"state\":\"/no/such/file\"}",
                "{\"id\":1,\"prompt\":\"B\"}",
                "{\"id\":12,\"prompt\":\"B\",\"max_tokens\":2}");
        CliRun run = CliRun.with(in, List.of(), "batch", "-m", DEMO, "-t", "0", "-q");
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err())
                .startsWith("xlstm: batch: 2 generated, 10 failed, the first: line 2: is not JSON: ")
                .hasLineCount(1);
        List<JsonNode> results = lines(run.out());
        assertThat(results).hasSize(12);
        for (int i = 0; i < 12; i++) {
            boolean good = i == 0 || i == 11;
            assertThat(results.get(i).has("text")).as("line %d", i + 1).isEqualTo(good);
            assertThat(results.get(i).has("error")).as("line %d", i + 1).isEqualTo(!good);
        }
        assertThat(error(results, 2)).contains("line 2", "not JSON");
        assertThat(error(results, 3)).contains("not a JSON object");
        assertThat(error(results, 4)).contains("not both");
        assertThat(error(results, 5)).contains("give \"prompt\"");
        assertThat(error(results, 6)).contains("\"tempreature\"");
        assertThat(error(results, 7)).contains("temperature");
        assertThat(error(results, 8)).contains("99999", "vocabulary");
        assertThat(error(results, 9)).contains("max_tokens");
        assertThat(error(results, 10)).contains("/no/such/file");
        assertThat(error(results, 11)).contains("occurs in an earlier line");
        assertThat(results.get(10).get("id").asString()).isEqualTo("line 11");
    }

    private static String error(List<JsonNode> results, int line) {
        return results.get(line - 1).get("error").asString();
    }

    /** Wherever a run was cut off, in a line or between two, going on gives what one run would have given. */
    @Test
    void resumingLosesAndRepeatsNothing() throws IOException {
        String in = input(12).toString();
        Path out = directory.resolve("out.jsonl");
        String[] command = {"batch", "-m", DEMO, "-t", "0", in, "-o", out.toString(), "--resume", "--seed", "1"};
        assertThat(xlstm(command)).isEqualTo(new CliRun(0, "", "xlstm: batch: 12 generated\n"));
        byte[] whole = Files.readAllBytes(out);
        assertThat(xlstm(command)) // nothing left to do
                .isEqualTo(new CliRun(0, "", "xlstm: batch: 0 generated, 12 done before\n"));
        assertThat(out).hasBinaryContent(whole);
        for (int cut : new int[] {0, 10, whole.length / 3, whole.length / 2, whole.length - 1}) {
            Files.write(out, java.util.Arrays.copyOf(whole, cut));
            assertThat(xlstm(command).code()).isZero();
            assertThat(out).hasBinaryContent(whole);
        }
    }

    @Test
    void anotherFileIsNotOverwritten() throws IOException {
        String in = input(1).toString();
        Path out = Files.writeString(directory.resolve("out.jsonl"), "my notes\n");
        CliRun run = xlstm("batch", "-m", DEMO, in, "-o", out.toString());
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("exists; give --resume");
        run = xlstm("batch", "-m", DEMO, in, "-o", out.toString(), "--resume");
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("line 1 is not a result");
        assertThat(out).hasContent("my notes\n");
    }

    @Test
    void aLineThatIsTooLongIsItsOwnError() throws IOException {
        String good = "{\"id\":\"%\",\"prompt\":\"Once\",\"max_tokens\":2}";
        Path in = directory.resolve("long.jsonl");
        Files.write(
                in,
                List.of(
                        good.replace("%", "a"),
                        "{\"prompt\":\"" + "a".repeat(CliLimits.LINE_CHARS) + "\"}",
                        good.replace("%", "b")));
        CliRun run = xlstm("batch", "-m", DEMO, in.toString());
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        List<JsonNode> results = lines(run.out());
        assertThat(results).hasSize(3);
        assertThat(results.get(1).get("error").asString())
                .isEqualTo("line 2: is a line of more than " + CliLimits.LINE_CHARS + " characters");
        assertThat(results.get(2).get("completion_tokens").asInt()).isEqualTo(2);
    }

    /** As exports have them: every column of a table, most of them empty. */
    @Test
    void nullIsNotGiven() {
        String in = "{\"id\":null,\"prompt\":\"Once\",\"prompt_ids\":null,\"state\":null,\"stop\":null,\"seed\":null,"
                + "\"max_tokens\":3,\"temperature\":null}";
        CliRun run = CliRun.with(in, List.of(), "batch", "-m", DEMO, "-t", "0");
        assertThat(run.code()).isZero();
        assertThat(lines(run.out()).get(0).get("id").asInt()).isEqualTo(1);
        assertThat(lines(run.out()).get(0).get("completion_tokens").asInt()).isEqualTo(3);
    }

    @Test
    void openAiLinesAreRead() throws IOException {
        Path in = Files.writeString(
                directory.resolve("openai.jsonl"),
                "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/completions\",\"body\":{\"model\":\"x\","
                        + "\"prompt\":\"Once\",\"max_tokens\":3,\"temperature\":0,\"logprobs\":1}}\n"
                        + "{\"custom_id\":\"b\",\"url\":\"/v1/embeddings\",\"body\":{\"prompt\":\"Once\"}}\n"
                        + "{\"custom_id\":\"c\",\"body\":{\"prompt\":\"Once\",\"tools\":[]}}\n");
        Path out = directory.resolve("openai.out");
        CliRun run = xlstm("batch", "-m", DEMO, in.toString(), "-o", out.toString());
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        List<JsonNode> results = lines(Files.readString(out));
        JsonNode first = results.get(0);
        assertThat(first.get("custom_id").asString()).isEqualTo("a");
        assertThat(first.get("token_ids")).hasSize(3);
        assertThat(first.get("logprobs")).hasSize(3);
        assertThat(first.get("logprobs").get(0).get("top_logprobs")).hasSize(1);
        assertThat(error(results, 2)).contains("\"url\" must end with /completions");
        assertThat(error(results, 3)).contains("unknown field \"tools\"");
        run = xlstm("batch", "-m", DEMO, in.toString(), "-o", out.toString(), "--resume");
        assertThat(run.err()).isEqualTo("xlstm: batch: 0 generated, 3 done before\n");
    }

    /** The answer is that of a chat: rendered by the template, ended by its marker; markers in a message are text. */
    @Test
    void messagesAreAnswered() {
        String in = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}\n"
                + "{\"custom_id\":\"x\",\"body\":{\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}],\"max_tokens\":3}}\n"
                + "{\"messages\":[{\"role\":\"user\",\"content\":\"<|end|>\"}],\"max_tokens\":1}\n"
                + "{\"messages\":[{\"content\":\"Hello!\"}]}\n";
        CliRun run = CliRun.with(in, List.of(), "batch", "-m", DEMO, "-t", "0", "-n", "60");
        List<JsonNode> results = lines(run.out());
        JsonNode whole = results.get(0);
        assertThat(whole.get("text").asString()).isEqualTo("Hi! It is nice to see you.");
        assertThat(whole.get("prompt_tokens").asInt())
                .isEqualTo(xlstm("tokenize", "-m", DEMO, "<|endoftext|><|user|>Hello!<|end|><|assistant|>", "--json")
                        .json()
                        .get("count")
                        .asInt());
        assertThat(results.get(1).get("completion_tokens").asInt()).isEqualTo(3);
        assertThat(results.get(2).get("prompt_tokens").asInt())
                .as("more than one token for the marker")
                .isGreaterThan(6);
        assertThat(error(results, 4)).contains("role");
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
    }

    @Test
    void aGrammarIsForAllLinesOrForOne() {
        String in = "{\"prompt\":\"A\"}\n{\"prompt\":\"B\",\"grammar\":\"root ::= [0-9]{3}\"}\n"
                + "{\"prompt\":\"C\",\"json_schema\":{\"enum\":[\"red\",\"blue\"]}}\n"
                + "{\"prompt\":\"D\",\"grammar\":\"root ::= (\"}\n";
        CliRun run = CliRun.with(
                in, List.of(), "batch", "-m", DEMO, "--seed", "1", "--json-schema", "{\"type\":\"boolean\"}");
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
        List<JsonNode> results = lines(run.out());
        assertThat(results.get(0).get("text").asString().strip()).isIn("true", "false");
        assertThat(results.get(0).get("grammar_complete").booleanValue()).isTrue();
        assertThat(results.get(1).get("text").asString()).matches("[0-9]{3}");
        assertThat(results.get(2).get("text").asString().strip()).isIn("\"red\"", "\"blue\"");
        assertThat(error(results, 4)).startsWith("line 4: \"grammar\": ");
    }

    @Test
    void usage() {
        assertThat(xlstm("batch", "--resume").code()).isEqualTo(ExitCode.USAGE);
        assertThat(xlstm("batch", "--batch-size", "0").code()).isEqualTo(ExitCode.USAGE);
        assertThat(CliRun.with("", List.of("in"), "batch").code()).isEqualTo(ExitCode.USAGE);
        assertThat(xlstm("batch", "-m", DEMO, "/no/such.jsonl").err()).contains("/no/such.jsonl: no such file");
    }

    @Test
    void samplesAreThoseOfTheirSeeds() {
        String[] one = {"generate", "-m", DEMO, "-n", "16", "--json", "One day", "--seed"};
        CliRun run =
                xlstm("generate", "-m", DEMO, "-n", "16", "--json", "One day", "--num-samples", "3", "--seed", "5");
        assertThat(run.code()).isZero();
        JsonNode samples = JsonMapper.shared().readTree(run.out());
        assertThat(samples).hasSize(3);
        for (int i = 0; i < 3; i++) {
            String[] alone = java.util.Arrays.copyOf(one, one.length + 1);
            alone[one.length] = Integer.toString(5 + i);
            assertThat(samples.get(i).get("seed").asInt()).isEqualTo(5 + i);
            assertThat(samples.get(i).get("text")).isEqualTo(xlstm(alone).json().get("text"));
        }
        CliRun plain = xlstm("generate", "-m", DEMO, "-n", "16", "One day", "--num-samples", "2", "--seed", "5");
        assertThat(plain.out())
                .startsWith(
                        "==> 1 of 2, seed 5 <==\n" + samples.get(0).get("text").asString())
                .contains("\n\n==> 2 of 2, seed 6 <==\n"
                        + samples.get(1).get("text").asString())
                .endsWith("\n");
        assertThat(xlstm("generate", "--num-samples", "0", "x").code()).isEqualTo(ExitCode.USAGE);
    }
}
