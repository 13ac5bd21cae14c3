package dev.xlstm.cli;

import dev.xlstm.cli.console.Interruption;
import dev.xlstm.cli.console.Streams;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a command line did, run in this process. */
public record CliRun(int code, String out, String err) {

    public static final Path DEMO = Path.of("../test-data/demo-model");
    public static final Path FIXTURES = Path.of("../test-data/fixtures");
    public static final Path BLOCK_FIXTURES = Path.of("../test-data/fixtures-blocks");

    /** With stdin at its end, and no terminals. */
    public static CliRun xlstm(String... args) {
        return with("", List.of(), args);
    }

    public static CliRun with(String stdin, List<String> terminals, String... args) {
        return with(stdin, terminals, Map.of(), args);
    }

    public static CliRun with(String stdin, List<String> terminals, Map<String, String> environment, String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Streams streams = new Streams(
                new ByteArrayInputStream(stdin.getBytes(StandardCharsets.UTF_8)),
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                terminals);
        int code = new Cli(streams, new Interruption(), environment).run(args);
        return new CliRun(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** stdout as the one JSON object it must be. */
    public JsonNode json() {
        if (code != 0 || out.lines().count() != 1) {
            throw new AssertionError("no single line of JSON: " + this);
        }
        return JsonMapper.shared().readTree(out);
    }
}
