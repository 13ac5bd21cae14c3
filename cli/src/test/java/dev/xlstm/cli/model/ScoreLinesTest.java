package dev.xlstm.cli.model;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.console.ExitCode;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.CliRun.DEMO;
import static dev.xlstm.cli.CliRun.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ScoreLinesTest {

    private static final String TEXT = "The cat sat.\nThe cat sat.\nzxqv 42 %%\n";

    private static CliRun score(String... flags) {
        String[] args = new String[flags.length + 3];
        args[0] = "score";
        args[1] = "--model";
        args[2] = DEMO.toString();
        System.arraycopy(flags, 0, args, 3, flags.length);
        return with(TEXT, List.of(), args);
    }

    @Test
    void linesComeAsColumnsUnderAHeader() {
        CliRun run = score("--lines");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.getFirst()).isEqualTo("line\ttokens\tbits\tbits_per_token\tbits_per_char");
        assertThat(lines.get(3)).matches("3\t\\d+\t[\\d.]+\t[\\d.]+\t[\\d.]+");
    }

    @Test
    void theMostSurprisingLinesComeLast() {
        List<String> lines = score("--lines", "--top", "1").out().lines().toList();
        assertThat(lines).hasSize(6);
        assertThat(lines.get(4)).startsWith("#");
        assertThat(lines.get(5)).startsWith("3\t").endsWith("\tzxqv 42 %%");
    }

    @Test
    void jsonHasALineForEachLineAndTheSumOfTheText() {
        List<JsonNode> lines = score("--lines", "--json")
                .out()
                .lines()
                .map(JsonMapper.shared()::readTree)
                .toList();
        assertThat(lines).hasSize(3);
        double bits =
                lines.stream().mapToDouble(line -> line.get("bits").asDouble()).sum();
        JsonNode whole = score("--json").json();
        double sum = 0;
        for (JsonNode logprob : whole.get("logprobs")) {
            sum -= logprob.isNull() ? 0 : logprob.asDouble() / Math.log(2);
        }
        assertThat(bits).isCloseTo(sum, within(1e-3));
    }

    @Test
    void eachLineByItselfScoresTheSame() {
        List<String> lines = score("--lines", "--each").out().lines().toList();
        assertThat(lines.get(1).substring(1)).isEqualTo(lines.get(2).substring(1));
    }

    @Test
    void aWindowLargerThanTheTextGivesItsPerplexity() {
        String whole = score().out().lines().toList().getLast();
        CliRun windowed = score("--context", "500");
        assertThat(windowed.out().lines().toList().getLast()).isEqualTo(whole);
    }

    @Test
    void flagsThatDoNotGoTogetherAreUsageErrors() {
        for (String[] flags :
                new String[][] {{"--top", "3"}, {"--each"}, {"--lines", "--context", "5"}, {"--stride", "2"}}) {
            CliRun run = score(flags);
            assertThat(run.code()).isEqualTo(ExitCode.USAGE);
            assertThat(run.out()).isEmpty();
        }
    }
}
