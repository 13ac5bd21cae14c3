package dev.xlstm.cli.generate;

import dev.xlstm.cli.CliRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;

class GenerateCommandTest {

    private static final String DEMO = CliRun.DEMO.toString();

    @TempDir
    Path directory;

    private static CliRun generate(String stdin, String... args) {
        return CliRun.with(stdin, List.of(), command(args));
    }

    private static String[] command(String... args) {
        String[] all = new String[args.length + 5];
        System.arraycopy(new String[] {"generate", "--model", DEMO, "-n", "6"}, 0, all, 0, 5);
        System.arraycopy(args, 0, all, 5, args.length);
        return all;
    }

    private static List<Integer> ids(JsonNode json) {
        return StreamSupport.stream(json.spliterator(), false)
                .map(JsonNode::asInt)
                .toList();
    }

    @Test
    void textGoesToStdoutAndNothingElseAnywhere() {
        CliRun run = generate("", "-t", "0", "Once upon a time");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).endsWith("\n").doesNotContain("Once upon");
        JsonNode json = generate("", "-t", "0", "--json", "Once upon a time").json();
        assertThat(run.out()).isEqualTo(json.get("text").asString() + "\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "fixtures/tiny-f32",
                "fixtures/tiny-bf16-sharded",
                "fixtures/tiny-nxai",
                "fixtures-blocks/blocks-mixed",
                "fixtures-blocks/blocks-mlstm",
                "fixtures-blocks/blocks-slstm",
                "fixtures-blocks/blocks-step-long",
                "fixtures-blocks/blocks-tied"
            })
    void idsInAndOutAreTheReferences(String fixture) throws IOException {
        Path model = CliRun.FIXTURES.resolveSibling(fixture);
        JsonNode golden = JsonMapper.shared().readTree(Files.readString(model.resolve("golden.json")));
        String prompt = golden.get("prompt_ids").toString().replaceAll("[\\[\\]]", "");
        JsonNode json = xlstm(
                        "generate",
                        "--model",
                        model.toString(),
                        "--prompt-ids",
                        prompt,
                        "--temperature",
                        "0",
                        "-n",
                        "32",
                        "--ignore-eos",
                        "--json")
                .json();
        assertThat(ids(json.get("token_ids"))).isEqualTo(ids(golden.get("continuation_ids")));
        assertThat(json.get("text").isNull()).isTrue();
        assertThat(json.get("finish_reason").asString()).isEqualTo("length");
        JsonNode usage = json.get("usage");
        assertThat(usage.get("prompt_tokens").asInt())
                .isEqualTo(golden.get("prompt_ids").size());
        assertThat(usage.get("completion_tokens").asInt()).isEqualTo(32);
        assertThat(json.get("timings").get("decode_seconds").asDouble()).isPositive();
    }

    @Test
    void withoutATokenizerThePlainOutputIsIds() {
        String model = CliRun.FIXTURES.resolve("tiny-f32").toString();
        CliRun run = xlstm("generate", "--model", model, "--prompt-ids", "5 9,2", "-n", "3", "-t", "0");
        assertThat(run.out()).matches("\\d+ \\d+ \\d+\n");
        CliRun text = xlstm("generate", "--model", model, "words");
        assertThat(text.code()).isEqualTo(1);
        assertThat(text.err()).contains("no tokenizer.json");
    }

    @Test
    void theSeedDecides() {
        String first = generate("", "--seed", "7", "-n", "30", "The cat").out();
        assertThat(generate("", "--seed", "7", "-n", "30", "--threads", "1", "The cat")
                        .out())
                .isEqualTo(first);
        assertThat(generate("", "--seed", "8", "-n", "30", "The cat").out()).isNotEqualTo(first);
    }

    @Test
    void promptPartsAreJoinedByABlankLine() throws IOException {
        Path file = Files.writeString(directory.resolve("prompt.txt"), "From a file.\n");
        assertThat(generate("From a pipe.\n", "--echo", "Then this").out()).startsWith("From a pipe.\n\nThen this");
        assertThat(generate("From a pipe.\n", "--echo", "--seed", "1").out())
                .startsWith("From a pipe.")
                .doesNotStartWith("From a pipe.\n\n");
        assertThat(generate("From a pipe.\n", "--echo", "-").out()).startsWith("From a pipe.");
        assertThat(generate("A pipe.", "--echo", "-f", file.toString(), "Then this")
                        .out())
                .startsWith("From a file.\n\nThen this");
        assertThat(generate("From a pipe.", "--echo", "-f", "-", "Then this").out())
                .startsWith("From a pipe.\n\nThen this");
        assertThat(generate("", "--echo", "Only this").out()).startsWith("Only this");
    }

    @Test
    void withoutAPromptThereIsAUsageErrorAtOnce() {
        CliRun terminal = CliRun.with("never read", List.of("in"), "generate", "--model", "/nowhere");
        assertThat(terminal.code()).isEqualTo(2);
        assertThat(terminal.out()).isEmpty();
        assertThat(terminal.err()).startsWith("xlstm: nothing to read").contains("xlstm generate --help");
        CliRun pipe = CliRun.with("", List.of(), "generate", "--model", "/nowhere");
        assertThat(pipe.code()).isEqualTo(2);
        assertThat(pipe.err()).contains("standard input is empty");
    }

    @Test
    void anEmptyArgumentBeginsANewText() {
        CliRun run = generate("", "-t", "0", "--json", "");
        assertThat(run.json().get("usage").get("prompt_tokens").asInt()).isEqualTo(1); // bos
    }

    @Test
    void aTerminalOnStdinIsNotReadWhenThereIsAPrompt() {
        CliRun run = CliRun.with("typed", List.of("in"), command("--echo", "Given"));
        assertThat(run.out()).startsWith("Given").doesNotContain("typed");
    }

    @Test
    void stopStringsEndTheText() {
        String text = generate("", "-t", "0", "-n", "40", "--json", "Once upon a time")
                .json()
                .get("text")
                .asString();
        String stop = text.substring(20, 24);
        String before = text.substring(0, text.indexOf(stop));
        JsonNode json = generate(
                        "", "-t", "0", "-n", "40", "--json", "--stop", "never", "--stop", stop, "Once upon a time")
                .json();
        assertThat(json.get("text").asString()).isEqualTo(before);
        assertThat(json.get("finish_reason").asString()).isEqualTo("stop");
        assertThat(json.get("stop").asString()).isEqualTo(stop);
    }

    @Test
    void statisticsAreShownOnATerminalOrWhenAskedFor() {
        String stats = "prefill \\d+ tokens in .* s .*, decode 6 tokens in .*, end: length, seed \\d+, on .+\n";
        assertThat(generate("", "--stats", "--ignore-eos", "Hello").err())
                .matches(stats)
                // the share is left out where the loops were not compiled in time
                .containsPattern(
                        "/s, [\\d.]+ GB/s(, \\d{1,3} % of the [\\d.]+ at which these weights can be read)?\\)");
        assertThat(CliRun.with("", List.of("err"), command("--ignore-eos", "Hello"))
                        .err())
                .matches(stats);
        assertThat(CliRun.with("", List.of("err"), command("-q", "Hello")).err())
                .isEmpty();
        assertThat(CliRun.with("", List.of("out"), command("Hello")).err()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-t -1",
                "-t warm",
                "--top-p 0",
                "--min-p 2",
                "-n -2",
                "--repeat-last-n -2",
                "--threads 0",
                "--stop=",
                "--stop-id x",
                "--prompt-ids 1,two",
                "--prompt-ids -1",
                "--bogus",
                "two prompts"
            })
    void badFlagsAreUsageErrors(String flags) {
        CliRun run = generate("", ("Hello " + flags).split(" "));
        assertThat(run.code()).as(run.toString()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(2);
        assertThat(run.err()).startsWith("xlstm: ");
    }

    @Test
    void anIdOutsideTheVocabularyIsNamed() {
        CliRun run = generate("", "--prompt-ids", "99999");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err())
                .isEqualTo("xlstm: id 99999 is outside the model's vocabulary of "
                        + xlstm("inspect", "--json", "--model", DEMO)
                                .json()
                                .get("config")
                                .get("vocab_size") + "\n");
    }

    @Test
    void aTextFileThatIsNoneIsNamed() {
        assertThat(generate("", "-f", "/no/such/file").err()).isEqualTo("xlstm: /no/such/file: no such file\n");
        CliRun folder = generate("", "-f", directory.toString());
        assertThat(folder.code()).isEqualTo(1);
        assertThat(folder.err()).contains("is a directory");
    }
}
