package dev.xlstm.cli.model;

import dev.xlstm.cli.CliRun;
import dev.xlstm.cli.console.ExitCode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;

class QuantizeCommandTest {

    private static final String DEMO = CliRun.DEMO.toString();

    @TempDir
    Path directory;

    /** The copy answers as the original does when it is converted while loading. */
    @ParameterizedTest
    @ValueSource(strings = {"q8_0", "q4_0"})
    void theCopyIsAModel(String format) {
        String copy = directory.resolve("copy").toString();
        assertThat(xlstm("quantize", DEMO, copy, "--format", format)).isEqualTo(new CliRun(0, "", ""));

        CliRun run = xlstm("generate", "-m", copy, "-n", "20", "-t", "0", "-q", "One day");
        assertThat(run.code()).isZero();
        assertThat(run)
                .isEqualTo(xlstm("generate", "-m", DEMO, "--format", format, "-n", "20", "-t", "0", "-q", "One day"));
    }

    /** Rounding to 8 bits is hardly to be seen, to 4 bits a little. */
    @Test
    void qualityStays() {
        double exact = perplexity("f32");
        assertThat(perplexity("bf16")).isEqualTo(exact); // as stored
        assertThat(perplexity("q8_0")).isBetween(0.99 * exact, 1.01 * exact);
        assertThat(perplexity("q4_0")).isBetween(0.9 * exact, 1.1 * exact);
    }

    private static double perplexity(String format) {
        return xlstm(
                        "score",
                        "-m",
                        DEMO,
                        "--format",
                        format,
                        "--json",
                        "Once upon a time there was a little girl who had a red ball. She liked to play with her ball in"
                                + " the garden. One day the ball rolled away and she could not find it.")
                .json()
                .get("perplexity")
                .asDouble();
    }

    @Test
    void aTerminalSeesABar() {
        CliRun run = CliRun.with(
                "", List.of("err"), "quantize", DEMO, directory.resolve("copy").toString());
        assertThat(run.err()).contains("quantize [").contains("100 %").endsWith("wrote " + directory + "/copy\n");
        assertThat(run.out()).isEmpty();
    }

    @Test
    void usage() {
        assertThat(xlstm("quantize", DEMO).code()).isEqualTo(ExitCode.USAGE);
        CliRun run = xlstm("quantize", DEMO, directory.resolve("x").toString(), "--format", "q5_1");
        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("--format must be one of f32, f16, bf16, q8_0, q4_0, not 'q5_1'");
        assertThat(xlstm("score", "-m", DEMO, "--format", "q5_1", "x").err())
                .contains("--format must be one of f32, f16, bf16, q8_0, q4_0");
    }
}
