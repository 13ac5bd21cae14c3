package dev.xlstm.cli.generate;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.EditedDemo;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;

/** Which ids and stop strings end a text, and what generation_config.json advises. */
class EndOfTextTest {

    private static final String HELLO = "<|user|>Hello!<|end|><|assistant|>";
    private static final String ANSWER = "Hi! It is nice to see you.";

    @TempDir
    Path directory;

    @Test
    void anAddedTokenThatIsNotSpecialMayEndTheText() throws IOException {
        EditedDemo demo = new EditedDemo(directory)
                .withPlainAddedToken("<|end|>")
                .with("generation_config.json", "{\"eos_token_id\":[0,4]}");
        JsonNode json = xlstm("generate", "-m", demo.toString(), "-n", "60", "-t", "0", "--json", HELLO)
                .json();
        assertThat(json.get("text").asString()).isEqualTo(ANSWER);
        assertThat(json.get("finish_reason").asString()).isEqualTo("eos");
    }

    @Test
    void inspectSaysWhichIdsEndATextAndWhy() throws IOException {
        EditedDemo demo = new EditedDemo(directory).with("generation_config.json", "{\"eos_token_id\":[4,40]}");
        assertThat(xlstm("inspect", "-m", demo.toString()).out())
                .containsPattern(
                        "\nends with +id 0 \\(tokenizer_config.json eos_token, config.json eos_token_id\\), id 4"
                                + " \\(generation_config.json eos_token_id\\); not with id 40 \\(generation_config.json"
                                + " eos_token_id\\): ordinary text to the tokenizer \\(--stop-id ends there, too\\)\n");
        JsonNode json = xlstm("inspect", "-m", demo.toString(), "--json").json();
        assertThat(json.get("stop_ids").toString()).isEqualTo("[0,4]");
        assertThat(json.get("end_of_text").get(1).toString())
                .isEqualTo("{\"id\":4,\"settings\":[\"generation_config.json eos_token_id\"]}");
        assertThat(json.get("not_end_of_text").get(0).get("id").asInt()).isEqualTo(40);
    }

    @Test
    void aStopStringMayBeASpecialTokenOrHoldOne() throws IOException {
        EditedDemo demo = new EditedDemo(directory).with("generation_config.json", "{\"eos_token_id\":0}");
        for (String stop : new String[] {"<|end|>", "you.<|end|>", "see you.<|end|>"}) {
            JsonNode json = xlstm(
                            "generate", "-m", demo.toString(), "-n", "25", "-t", "0", "--json", "--stop", stop, HELLO)
                    .json();
            assertThat(json.get("finish_reason").asString()).as(stop).isEqualTo("stop");
            assertThat(json.get("stop").asString()).isEqualTo(stop);
            assertThat(json.get("text").asString())
                    .isEqualTo(ANSWER.substring(0, ANSWER.length() - stop.indexOf("<|end|>")));
        }
        JsonNode inside = xlstm(
                        "generate", "-m", demo.toString(), "-n", "25", "-t", "0", "--json", "--stop", "end|>", HELLO)
                .json();
        assertThat(inside.get("finish_reason").asString())
                .as("part of a marker")
                .isEqualTo("length");
    }

    /** A stop string that begins with a special token may be cut by --save-state in the middle. */
    @Test
    void aStopStringWithASpecialTokenIsFoundAcrossAState() throws IOException {
        EditedDemo demo = new EditedDemo(directory).with("generation_config.json", "{\"eos_token_id\":0}");
        String state = directory.resolve("cut.state").toString();
        String[] common = {"generate", "-m", demo.toString(), "-t", "0", "--stop", "you.<|end|>"};
        StringBuilder text = new StringBuilder();
        String finish = null;
        for (int part = 0; part < 12 && !"stop".equals(finish); part++) {
            CliRun run = xlstm(
                    part == 0
                            ? with(common, "--json", "-n", "2", "--save-state", state, HELLO)
                            : with(common, "--json", "-n", "2", "--save-state", state, "--state", state));
            text.append(run.json().get("text").asString());
            finish = run.json().get("finish_reason").asString();
        }
        assertThat(finish).isEqualTo("stop");
        assertThat(text.toString()).isEqualTo("Hi! It is nice to see ");
    }

    private static String[] with(String[] first, String... rest) {
        String[] all = java.util.Arrays.copyOf(first, first.length + rest.length);
        System.arraycopy(rest, 0, all, first.length, rest.length);
        return all;
    }

    @Test
    void recommendedSamplingIsTheDefaultOfFlags() throws IOException {
        String demo = new EditedDemo(directory)
                .with("generation_config.json", "{\"temperature\":0,\"top_k\":3}")
                .toString();
        String[] common = {"generate", "-m", demo, "-n", "12", "-q", "--seed", "3", "Once upon a time"};
        CliRun greedy = xlstm(with(common, "-t", "0"));
        assertThat(xlstm(common)).isEqualTo(greedy);
        assertThat(xlstm(with(common, "-t", "3", "--top-k", "0"))).isNotEqualTo(greedy);
        assertThat(xlstm("inspect", "-m", demo).out())
                .containsPattern("\nsampling +temperature 0, top-k 3 \\(generation_config.json\\)\n");
    }

    @Test
    void unusualAdviceIsOneWarning() throws IOException {
        EditedDemo demo = new EditedDemo(directory)
                .with(
                        "generation_config.json",
                        "{\"top_k\":-1,\"max_new_tokens\":-1,\"eos_token_id\":[0,-1],\"temperature\":\"hot\"}");
        String warning = "xlstm: warning: " + demo
                + "/generation_config.json: ignored \"eos_token_id\": -1, \"temperature\": \"hot\", \"top_k\": -1\n";
        CliRun run = xlstm("generate", "-m", demo.toString(), "-n", "3", "--top-k", "5", "Once");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEqualTo(warning);
        assertThat(xlstm("generate", "-m", demo.toString(), "-n", "3", "-q", "Once")
                        .err())
                .isEmpty();
        run = xlstm("score", "-m", demo.toString(), "Once upon a time");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEqualTo(warning);
        run = xlstm("inspect", "-m", demo.toString());
        assertThat(run.code()).isZero();
        assertThat(run.out()).contains("ignored \"eos_token_id\": -1");
        assertThat(run.err()).isEmpty();
    }

    /** A loop that reads the outputs line by line stays in step. */
    @Test
    void quietOutputEndsWithALineFeedEvenIfEmpty() {
        String[] empty = {"generate", "-m", CliRun.DEMO.toString(), "-t", "0", "-n", "0", "Once"};
        assertThat(xlstm(with(empty, "-q"))).isEqualTo(new CliRun(0, "\n", ""));
        assertThat(xlstm(with(
                                empty,
                                "-q",
                                "--save-state",
                                directory.resolve("s").toString()))
                        .out())
                .isEmpty();
        assertThat(xlstm(empty)).isEqualTo(new CliRun(0, "", ""));
        CliRun some = xlstm("generate", "-m", CliRun.DEMO.toString(), "-t", "0", "-n", "3", "-q", "Once");
        assertThat(some.out()).endsWith("\n").hasLineCount(1);
    }
}
