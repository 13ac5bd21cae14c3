package dev.xlstm.cli.model;

import dev.xlstm.cli.console.ExitCode;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static dev.xlstm.cli.CliRun.xlstm;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class BenchCommandTest {

    /** 10 tokens/s of 1 GB and 3 GFLOP each, on a machine of 20 GB/s and 120 GFLOP/s. */
    private static BenchReport report() {
        return report(19, 20);
    }

    private static BenchReport report(double before, double after) {
        BenchReport report = new BenchReport(
                "a|b",
                "q8_0",
                2,
                "cpu",
                new BenchReport.StartUp(0.5, 0.25),
                new BenchReport.Bytes(900_000_000, 100_000_000, 1 << 20, -1),
                new BenchReport.MachineSpeed(before, after, 120));
        report.add("tg64", 10, 1e9, 3e9);
        return report;
    }

    @Test
    void sharesAreOfTheMeasuredLimits() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
            json.writeStartObject();
            report().writeJson(json);
            json.writeEndObject();
        }
        JsonNode json = JsonMapper.shared().readTree(text.toString());
        JsonNode test = json.get("tests").get(0);
        assertThat(test.get("test").asString()).isEqualTo("tg64");
        assertThat(test.get("format").asString()).isEqualTo("q8_0");
        assertThat(test.get("threads").asInt()).isEqualTo(2);
        assertThat(test.get("tokens_per_second").asDouble()).isEqualTo(10);
        assertThat(test.get("gb_per_second").asDouble()).isCloseTo(10, within(1e-9));
        assertThat(test.get("stream_gb_per_second").asDouble()).isEqualTo(20);
        assertThat(test.get("bandwidth_share").asDouble()).isCloseTo(0.5, within(1e-9));
        assertThat(test.get("gflops").asDouble()).isCloseTo(30, within(1e-9));
        assertThat(test.get("peak_gflops").asDouble()).isEqualTo(120);
        assertThat(test.get("flops_share").asDouble()).isCloseTo(0.25, within(1e-9));
        assertThat(json.has("rss_bytes")).isFalse(); // unknown
    }

    @Test
    void tablesHaveARowATest() {
        assertThat(report().markdown().lines().toList().get(2))
                .isEqualTo("| a\\|b | q8_0 | 2 | tg64 | 10.00 | 10.00 | 50 % | 30.0 | 25 % |");
        assertThat(report().csv().lines())
                .hasSize(2)
                .last()
                .isEqualTo("\"a|b\",tg64,q8_0,2,10.000,10.000,20.000,0.5000,30.000,120.000,0.2500");
    }

    @Test
    void columnsOfATableAreAligned() {
        assertThat(report().table().lines().limit(2))
                .containsExactly(
                        "model  format  threads  test  tokens/s   GB/s  of bandwidth  GFLOP/s  of peak",
                        "a|b    q8_0          2  tg64     10.00  10.00          50 %     30.0     25 %");
    }

    @Test
    void aShareAboveOneIsLeftOut() {
        BenchReport cached = report(8, 9);
        assertThat(cached.markdown()).contains("| 10.00 | - | 30.0 |");
        assertThat(cached.csv()).contains(",9.000,,30.000,");
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
            json.writeStartObject();
            cached.writeJson(json);
            json.writeEndObject();
        }
        JsonNode test =
                JsonMapper.shared().readTree(text.toString()).get("tests").get(0);
        assertThat(test.has("bandwidth_share")).isFalse();
    }

    @Test
    void bothBandwidthsAreShownIfTheyDiffer() {
        assertThat(report(19, 20).markdown()).contains("memory read at 20.0 GB/s, arithmetic");
        assertThat(report(20, 17).markdown())
                .contains("memory read at 20.0 GB/s before the tests and 17.0 GB/s after them");
    }

    @Test
    void usage() {
        assertThat(xlstm("bench", "--shape", "9b").err()).contains("no shape 9b");
        assertThat(xlstm("bench", "-p", "0", "-n", "0").err()).contains("nothing to measure");
        assertThat(xlstm("bench", "--repetitions", "0").code()).isEqualTo(ExitCode.USAGE);
    }
}
