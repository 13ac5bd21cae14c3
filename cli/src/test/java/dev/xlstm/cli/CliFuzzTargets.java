package dev.xlstm.cli;

import dev.xlstm.cli.batch.BatchFuzzTargets;
import dev.xlstm.cli.console.ErrorText;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.options.IdList;
import dev.xlstm.cli.options.PromptReader;
import dev.xlstm.fuzz.FuzzTarget;
import dev.xlstm.fuzz.Mutator;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What the command line reads. */
public final class CliFuzzTargets {

    private CliFuzzTargets() {}

    /**
     * @param data the directory test-data
     * @param work for files under test
     */
    public static List<FuzzTarget> all(Path data, Path work) throws IOException {
        return List.of(BatchFuzzTargets.batchLine(), ids(), prompt(), configFile(work));
    }

    private static FuzzTarget ids() {
        return new FuzzTarget(
                "ids",
                List.of("1, 2 3\n4".getBytes(StandardCharsets.UTF_8)),
                Mutator.text(List.of("1", ",", " ", "\n", "2147483647", "-", "+1", "٣", "0x1")),
                input -> {
                    try {
                        IdList.parse(new String(input, StandardCharsets.UTF_8));
                    } catch (IllegalArgumentException e) { // its usual way to refuse
                        throw new IOException(ErrorText.describe(e));
                    }
                });
    }

    /** Any bytes are a prompt: never refused, and the same in pieces. */
    private static FuzzTarget prompt() {
        return new FuzzTarget(
                "prompt",
                List.of("\uFEFFOnce upon\r\na time\n".getBytes(StandardCharsets.UTF_8)),
                Mutator.text(List.of("\n", "\r\n", "\uFEFF", "a", "\uD83D\uDE00")),
                input -> {
                    StringWriter text = new StringWriter();
                    try (PromptReader reader = new PromptReader(new ByteArrayInputStream(input), "x", "\n\n", false)) {
                        reader.transferTo(text);
                    }
                    if (!text.toString().endsWith("x")) {
                        throw new AssertionError("the argument comes last");
                    }
                });
    }

    /** A user's defaults, up to the flags they are for. */
    private static FuzzTarget configFile(Path work) throws IOException {
        Path home = Files.createDirectories(work.resolve("config-file/xlstm")).getParent();
        return new FuzzTarget(
                "config-file",
                List.of("model=~/x\ntop-k = 20\nchat.temperature: 0.9\n# why\ngenerate.stop=a\\\n  b\nstats\n"
                        .getBytes(StandardCharsets.UTF_8)),
                Mutator.text(
                        List.of("=", ":", "\\", "\n", "\\u00e4", "\\u", "chat.", "generate.", "#", "!", "~/", " ")),
                input -> {
                    Files.write(home.resolve("xlstm/config.properties"), input);
                    CliRun run = CliRun.with(
                            "", List.of(), Map.of("XDG_CONFIG_HOME", home.toString()), "config", "generate");
                    if (run.code() == ExitCode.USAGE) {
                        throw new IOException(run.err().strip());
                    }
                    if (run.code() != ExitCode.OK) {
                        throw new AssertionError(run.err());
                    }
                });
    }
}
