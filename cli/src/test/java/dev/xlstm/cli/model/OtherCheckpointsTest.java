package dev.xlstm.cli.model;

import dev.xlstm.cli.CliRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;

/** Commands on directories and files that are not quite as the program writes them. */
class OtherCheckpointsTest {

    private static final Path TINY = CliRun.FIXTURES.resolve("tiny-f32");
    private static final String DEMO = CliRun.DEMO.toString();

    @TempDir
    Path directory;

    private Path tiny(String change, String to) throws IOException {
        Files.copy(TINY.resolve("model.safetensors"), directory.resolve("model.safetensors"));
        String config = Files.readString(TINY.resolve("config.json"));
        assertThat(config).contains(change);
        return Files.writeString(directory.resolve("config.json"), config.replace(change, to))
                .getParent();
    }

    private static String[] generate(Path model, JsonNode golden, String... more) {
        String ids = golden.get("prompt_ids").toString().replaceAll("[\\[\\]]", "");
        return Stream.concat(
                        Stream.of(
                                "generate",
                                "-m",
                                model.toString(),
                                "--prompt-ids",
                                ids,
                                "-n",
                                "8",
                                "-t",
                                "0",
                                "--json"),
                        Stream.of(more))
                .toArray(String[]::new);
    }

    @Test
    void inspectSaysWhichOfTwoFieldsCounts() throws IOException {
        Path model = tiny("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 32");
        CliRun run = xlstm("inspect", "-m", model.toString());
        assertThat(run.code()).isZero();
        assertThat(run.out()).contains("num_blocks 3 counts, not num_hidden_layers 32, as in transformers");
        assertThat(xlstm("inspect", "-m", model.toString(), "--json").json().get("notes"))
                .hasSize(1);
    }

    /** Ids need no tokenizer; text says what is wrong with it. */
    @Test
    void aTokenizerThatCannotBeUsedStopsOnlyText() throws IOException {
        Path model = tiny("\"eos_token_id\": 2,", "");
        Files.writeString(
                model.resolve("tokenizer.json"),
                "{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",0]]},\"pre_tokenizer\":null}");
        JsonNode golden = JsonMapper.shared().readTree(TINY.resolve("golden.json"));
        JsonNode ids = xlstm(generate(model, golden)).json().get("token_ids");
        for (int i = 0; i < 8; i++) {
            assertThat(ids.get(i)).isEqualTo(golden.get("continuation_ids").get(i));
        }
        CliRun inspect = xlstm("inspect", "-m", model.toString());
        assertThat(inspect.code()).isZero();
        assertThat(inspect.out()).contains("a tokenizer that cannot be used: ", "\"Unigram\" is not supported");
        for (String[] command : List.of(
                new String[] {"generate", "-m", model.toString(), "-n", "1", "Once"},
                new String[] {"tokenize", "-m", model.toString(), "Once"})) {
            CliRun run = xlstm(command);
            assertThat(run.code()).isEqualTo(1);
            assertThat(run.out()).isEmpty();
            assertThat(run.err())
                    .startsWith(
                            "xlstm: " + model.resolve("tokenizer.json") + ": model.type: \"Unigram\" is not supported");
            assertThat(run.err().lines()).hasSize(1);
        }
    }

    @Test
    void theTokenizerMayComeFromElsewhere() throws IOException {
        Path model = tiny("\"eos_token_id\": 2,", "");
        CliRun without = xlstm("tokenize", "-m", model.toString(), "Once");
        assertThat(without.code()).isEqualTo(1);
        assertThat(without.err()).contains("has no tokenizer.json", "--tokenizer");
        assertThat(xlstm("tokenize", "-m", model.toString(), "--tokenizer", DEMO, "Once upon"))
                .isEqualTo(xlstm("tokenize", "-m", DEMO, "Once upon"));
    }

    @Test
    void directoriesThatAreNoModelGetOneLine() throws IOException {
        Path adapter = Files.createDirectories(directory.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{\"base_model_name_or_path\":\"NX-AI/xLSTM-7b\"}");
        Path torch = Files.createDirectories(directory.resolve("torch"));
        Files.copy(TINY.resolve("config.json"), torch.resolve("config.json"));
        Files.write(torch.resolve("pytorch_model.bin"), new byte[4]);
        Map<Path, String> expected = Map.of(
                adapter, adapter + ": is an adapter of NX-AI/xLSTM-7b, not a model;",
                torch, torch.resolve("pytorch_model.bin") + ": is a PyTorch file,");
        expected.forEach((model, message) -> {
            for (String[] command : List.of(
                    new String[] {"inspect", "-m", model.toString()},
                    new String[] {"generate", "-m", model.toString(), "Once"})) {
                CliRun run = xlstm(command);
                assertThat(run.code()).isEqualTo(1);
                assertThat(run.out()).isEmpty();
                assertThat(run.err()).startsWith("xlstm: " + message).contains("scripts/convert_checkpoint.py");
                assertThat(run.err().lines()).hasSize(1);
            }
        });
    }

    // ---- byte order marks

    private static final String BYTE_ORDER_MARK = "\uFEFF";

    @Test
    void byteOrderMarksAreLeftOut() throws IOException {
        Path grammar = Files.writeString(directory.resolve("g.gbnf"), BYTE_ORDER_MARK + "root ::= \"yes\"\n");
        CliRun run = xlstm("generate", "-m", DEMO, "-q", "--grammar", grammar.toString(), "Is it?");
        assertThat(run.code()).isZero();
        assertThat(run.out().strip()).isEqualTo("yes");
        Path schema = Files.writeString(directory.resolve("s.json"), BYTE_ORDER_MARK + "{\"const\":7}");
        assertThat(xlstm("generate", "-m", DEMO, "-q", "--json-schema", schema.toString(), "How many?")
                        .out()
                        .strip())
                .isEqualTo("7");
        Path lines = Files.writeString(
                directory.resolve("l.jsonl"), BYTE_ORDER_MARK + "{\"prompt\":\"Once\",\"max_tokens\":1}\n");
        CliRun batch = xlstm("batch", "-m", DEMO, lines.toString());
        assertThat(batch.code()).isZero();
        assertThat(batch.out()).doesNotContain("\"error\"");
        Path ids = Files.writeString(directory.resolve("ids.txt"), BYTE_ORDER_MARK + "5 6 7\n");
        assertThat(xlstm("score", "-m", DEMO, "--ids-file", ids.toString()).code())
                .isZero();
        Path home = Files.createDirectories(directory.resolve("xlstm"));
        Files.writeString(home.resolve("config.properties"), BYTE_ORDER_MARK + "temperature=0\n");
        CliRun configured =
                CliRun.with("", List.of(), Map.of("XDG_CONFIG_HOME", directory.toString()), "config", "show");
        assertThat(configured.err()).doesNotContain("temperature");
    }

    @Test
    void utf16IsNamed() throws IOException {
        Path grammar = Files.write(directory.resolve("g.gbnf"), "root ::= \"yes\"".getBytes(StandardCharsets.UTF_16LE));
        CliRun run = xlstm("generate", "-m", DEMO, "--grammar", grammar.toString(), "Is it?");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).startsWith("xlstm: " + grammar + ": is UTF-16 text; save it as UTF-8");
        Path model = tiny("\"eos_token_id\": 2,", "");
        Files.write(model.resolve("config.json"), "{\"num_blocks\":3}".getBytes(StandardCharsets.UTF_16));
        assertThat(xlstm("inspect", "-m", model.toString()).err())
                .startsWith("xlstm: " + model.resolve("config.json") + ": is UTF-16 text; save it as UTF-8");
    }
}
