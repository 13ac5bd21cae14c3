package dev.xlstm.cli;

import dev.xlstm.cli.console.ExitCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/** The product at its edge: the launcher in a process of its own, its streams and its exit code. */
class LauncherIT {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String XLSTM = ROOT.resolve("scripts/xlstm").toString();
    private static final String ENDLESS = " generate --ignore-eos -n -1 'Once upon a time'";

    @TempDir
    Path directory;

    /** Runs a shell script; {@code $xlstm} is the launcher. */
    private CliRun shell(String script) throws IOException, InterruptedException {
        return shell(script, Map.of());
    }

    private CliRun shell(String script, Map<String, String> environment) throws IOException, InterruptedException {
        // in a file: an argument would be spelled in this JVM's locale
        Path file = Files.writeString(directory.resolve("script.sh"), script + "\n");
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        ProcessBuilder builder = new ProcessBuilder("bash", file.toString())
                .directory(directory.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .redirectInput(Path.of("/dev/null").toFile());
        clean(builder.environment());
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).as(script).isTrue();
        return new CliRun(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static void clean(Map<String, String> environment) {
        environment.keySet().removeIf(name -> name.startsWith("XLSTM_"));
        environment.put("XDG_CONFIG_HOME", "/none");
        environment.remove("JAVA_TOOL_OPTIONS");
        environment.put("xlstm", XLSTM);
    }

    @Test
    void runsFromAnywhereThroughLinksAndBlanks() throws Exception {
        Path home = Files.createDirectory(directory.resolve("a b"));
        Files.createSymbolicLink(home.resolve("root"), ROOT);
        Files.createSymbolicLink(home.resolve("x"), Path.of("root/scripts/xlstm"));
        CliRun version = shell("'a b/root/scripts/xlstm' --version");
        assertThat(version.out()).startsWith("xlstm ");
        assertThat(version.err()).isEmpty();
        assertThat(version.code()).isZero();
        assertThat(shell("cd 'a b' && ./x --version")).isEqualTo(version);
        assertThat(shell("PATH=\"$PWD/a b:$PATH\"; cd /; x --version")).isEqualTo(version);
    }

    @Test
    void aPromptThatBeginsWithAnAtSignIsAPrompt() throws Exception {
        Files.writeString(directory.resolve("notes"), "--json\n--save-state\nstolen.state\ntext\n");
        CliRun run =
                shell("$xlstm generate -t 0 -n 2 --echo @notes; $xlstm tokenize -- @notes | $xlstm tokenize --decode");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).startsWith("@notes").endsWith("@notes\n");
        assertThat(directory.resolve("stolen.state")).doesNotExist();
    }

    @Test
    void advicesAndEndsOfAModelHoldInAProcessOfItsOwn() throws Exception {
        EditedDemo demo = new EditedDemo(directory)
                .withPlainAddedToken("<|end|>")
                .with("generation_config.json", "{\"eos_token_id\":[0,4],\"top_k\":-1}");
        String generate = "$xlstm generate -m " + demo + " -t 0 -n 60 '<|user|>Hello!<|end|><|assistant|>'";
        assertThat(shell(generate))
                .isEqualTo(new CliRun(
                        0,
                        "Hi! It is nice to see you.\n",
                        "xlstm: warning: " + demo + "/generation_config.json: ignored \"top_k\": -1\n"));
        assertThat(shell(generate + " -q --ignore-eos --stop 'you.<|end|>'"))
                .isEqualTo(new CliRun(0, "Hi! It is nice to see \n", ""));
    }

    @Test
    void aBatchWithABadLineEndsWithOne() throws Exception {
        Files.writeString(
                directory.resolve("in.jsonl"),
                "{\"id\":\"a\",\"prompt\":\"Once\",\"max_tokens\":2,\"stop\":null}\n"
                        + "{\"custom_id\":\"b\",\"body\":{\"prompt\":\"Once\",\"max_tokens\":2}}\n{\"id\":\"c\"\n");
        CliRun run = shell("$xlstm batch -t 0 in.jsonl");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out())
                .hasLineCount(3)
                .contains("{\"id\":\"a\",", "{\"custom_id\":\"b\",", "{\"id\":3,\"error\":");
        assertThat(run.err()).startsWith("xlstm: batch: 2 generated, 1 failed, the first: line 3: is not JSON");
        assertThat(shell("head -n 2 in.jsonl | $xlstm batch -q -t 0 >/dev/null"))
                .isEqualTo(new CliRun(0, "", ""));
    }

    @Test
    void aShellLoopKeepsItsLines() throws Exception {
        CliRun run = shell("printf 'a\\nb\\nc\\n' | while read -r line; do"
                + " $xlstm generate --no-stdin -q -t 0 -n 2 Hello; done; $xlstm generate -q -n 0 Hello | wc -l");
        assertThat(run.err()).isEmpty();
        List<String> lines = run.out().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.subList(0, 3)).containsOnly(lines.getFirst());
        assertThat(lines.getLast().strip()).isEqualTo("1");
    }

    @Test
    void waitingForStandardInputIsShown() throws Exception {
        CliRun run = shell("(until grep -q waiting notice; do sleep 0.2; done; echo late)"
                + " | $xlstm generate -t 0 -n 2 Hello 2>notice; cat notice >&2");
        assertThat(run.err()).isEqualTo("xlstm: waiting for standard input\n");
        assertThat(shell("(sleep 5; echo late) | $xlstm generate -q -t 0 -n 2 Hello"))
                .isEqualTo(new CliRun(0, run.out(), ""));
    }

    /** The weights are mapped: what is no longer in the file must be an error of the run, not of the JVM. */
    @ParameterizedTest
    @ValueSource(strings = {"bf16", "q8_0", "q4_0"})
    void aModelThatIsCutShortInUseEndsInAnError(String format) throws Exception {
        Path demo = ROOT.resolve("test-data/demo-model");
        String copy = format.equals("bf16")
                ? "cp -r " + demo + " m"
                : "$xlstm quantize -q --format " + format + " " + demo + " m";
        CliRun run = shell(copy + " && ($xlstm" + ENDLESS + " --model m >text; echo $? >code) & "
                + "until [ \"$(wc -c <text)\" -gt 40000 ]; do sleep 0.1; done 2>/dev/null; "
                + "truncate -s 20000 m/model.safetensors; wait; exit $(cat code)");
        assertThat(run.err())
                .isEqualTo("xlstm: " + run.err().strip().substring(7) + "\n")
                .contains("truncated", "fetch it again");
        assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
    }

    @Test
    void theDemoModelWritesToStdoutOnly() throws Exception {
        CliRun run = shell("$xlstm generate -t 0 -n 20 'Once upon a time'");
        assertThat(run.code()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).hasSizeGreaterThan(20).endsWith("\n");
        CliRun named = shell("$xlstm generate -t 0 -n 20 'Once upon a time'", Map.of("XLSTM_MODEL", "/no/model"));
        assertThat(named).isEqualTo(new CliRun(1, "", "xlstm: /no/model: no such model directory\n"));
    }

    @Test
    void aPipeIsAPrompt() throws Exception {
        CliRun run = shell("echo 'Once upon a time' | $xlstm generate -t 0 -n 20");
        assertThat(run).isEqualTo(shell("$xlstm generate -t 0 -n 20 'Once upon a time'"));
    }

    @Test
    void noPromptIsAUsageErrorAtOnce() throws Exception {
        CliRun run = shell("$xlstm generate");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("xlstm: nothing to read: standard input is empty\n");
    }

    @Test
    void aReaderWhoLeavesEndsIt() throws Exception {
        CliRun run = shell("$xlstm" + ENDLESS + " | head -c 10; code=${PIPESTATUS[0]}; echo; echo $code");
        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines().toList().getLast()).isEqualTo("141");
        CliRun help = shell("$xlstm generate --help | head -1; echo ${PIPESTATUS[0]}");
        assertThat(help.err()).isEmpty();
        assertThat(help.out()).matches("Usage: xlstm generate.*\n(141|0)\n"); // the help may fit in the pipe
    }

    @Test
    void unknownFlagsAreUsageErrors() throws Exception {
        CliRun run = shell("$xlstm generate --bogus text");
        assertThat(run.code()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).startsWith("xlstm: unknown flag '--bogus'; see xlstm generate --help\n");
    }

    @Test
    void aCorruptModelIsOneLine() throws Exception {
        CliRun run = shell(
                "cp -r '" + ROOT + "/test-data/demo-model' broken && head -c 5000 broken/model.safetensors >cut &&"
                        + " mv cut broken/model.safetensors && $xlstm generate --model broken text");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("xlstm: broken/model.safetensors: ");
    }

    @Test
    void fullAndClosedStreamsAreNoRiddle() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/dev/full")), "no /dev/full on this system");
        CliRun full = shell("$xlstm generate -n 2 text >/dev/full");
        assertThat(full.code()).isEqualTo(1);
        assertThat(full.err()).startsWith("xlstm: cannot write to standard output: ");
        CliRun closed = shell("$xlstm generate -n 2 text >&-");
        assertThat(closed.code()).isEqualTo(1);
        assertThat(closed.err()).startsWith("xlstm: cannot write to standard output: ");
        CliRun noInput = shell("$xlstm generate -t 0 -n 2 text <&-");
        assertThat(noInput.code()).isZero();
        assertThat(noInput.out())
                .isEqualTo(shell("$xlstm generate -t 0 -n 2 text").out());
        CliRun noErrors = shell("$xlstm generate --stats -t 0 -n 2 text 2>&-");
        assertThat(noErrors).isEqualTo(noInput);
    }

    @Test
    void argumentsAreUtf8InEveryLocale() throws Exception {
        String text = "Übung 🐶";
        CliRun run = shell("$xlstm tokenize '" + text + "' | $xlstm tokenize --decode", Map.of("LC_ALL", "C"));
        assertThat(run).isEqualTo(new CliRun(0, text + "\n", ""));
    }

    @Test
    void anInterruptEndsInGoodOrder() throws Exception {
        CliRun text = interrupted("INT", ENDLESS, 20, 0);
        assertThat(text.code()).isEqualTo(130);
        assertThat(text.err()).isEmpty();
        assertThat(text.out()).endsWith("\n");
        // nothing is written before the end: when it is under way can only be tried
        CliRun json = new CliRun(0, "", "");
        for (int seconds = 2; json.out().isEmpty() && seconds < 100; seconds *= 2) {
            json = interrupted("INT", ENDLESS + " --json --stats", 0, seconds);
        }
        assertThat(json.code()).isEqualTo(130);
        assertThat(JsonMapper.shared().readTree(json.out()).get("finish_reason").asString())
                .isEqualTo("interrupted");
        assertThat(json.err()).contains("end: interrupted");
        assertThat(interrupted("TERM", ENDLESS, 20, 0).code()).isEqualTo(143);
    }

    /** Starts the launcher, waits until it has written so many bytes and for so many seconds, sends it a signal. */
    private CliRun interrupted(String signal, String arguments, int bytes, int seconds) throws Exception {
        // a test run in the background hands on an ignored SIGINT, so bring back its default
        boolean linux = System.getProperty("os.name").equals("Linux");
        List<String> command = new ArrayList<>(linux ? List.of("env", "--default-signal=INT") : List.of());
        command.addAll(List.of("sh", "-c", "exec $xlstm" + arguments));
        Path err = directory.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
        clean(builder.environment());
        Process process = builder.start();
        process.getOutputStream().close();
        InputStream out = process.getInputStream();
        byte[] first = out.readNBytes(bytes);
        Thread.sleep(1000L * seconds);
        new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                .start()
                .waitFor();
        byte[] rest = out.readAllBytes();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String all = new String(first, StandardCharsets.UTF_8) + new String(rest, StandardCharsets.UTF_8);
        return new CliRun(process.exitValue(), all, Files.readString(err));
    }

    @Test
    void unfitJavasArePassedOver() throws Exception {
        Path old = Files.createDirectories(directory.resolve("old/bin")).getParent();
        Files.writeString(
                old.resolve("release"), "JAVA_VERSION=\"17.0.9\"\nMODULES=\"java.base jdk.incubator.vector\"\n");
        Path java = Files.writeString(old.resolve("bin/java"), "#!/bin/sh\necho wrong java\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        CliRun run = shell("$xlstm --version", Map.of("JAVA_HOME", old.toString()));
        assertThat(run.out()).startsWith("xlstm ");
        Files.writeString(old.resolve("release"), "JAVA_VERSION=\"25.0.1\"\nMODULES=\"java.base java.logging\"\n");
        assertThat(shell("$xlstm --version", Map.of("JAVA_HOME", old.toString())))
                .isEqualTo(run);
        Files.writeString(
                old.resolve("release"), "JAVA_VERSION=\"25.0.1\"\nMODULES=\"java.base jdk.incubator.vector\"\n");
        assertThat(shell("$xlstm --version", Map.of("JAVA_HOME", old.toString()))
                        .err()) // what a JVM itself says
                .isEqualTo("wrong java\n");
    }

    @Test
    void optionsForTheJvmReachItAndItsAnswerIsSeen() throws Exception {
        CliRun good =
                shell("$xlstm generate -t 0 -n 2 text", Map.of("XLSTM_JAVA_OPTS", "-Dxlstm.demo=/no/model -Xmx200m"));
        assertThat(good.code()).isEqualTo(1);
        assertThat(good.err()).contains("xlstm: /no/model: no such model directory\n");
        CliRun bad = shell("$xlstm --version", Map.of("XLSTM_JAVA_OPTS", "-XX:NoSuchOption=1"));
        assertThat(bad.code()).isEqualTo(1);
        assertThat(bad.out()).isEmpty();
        assertThat(bad.err()).contains("NoSuchOption");
    }

    /** Where the JVM itself gives up: stdout carries text of models only. */
    @Test
    void aJvmThatCannotStartSaysSoOnStderr() throws Exception {
        CliRun run = shell("ulimit -v 1000000 || exit 77; $xlstm generate -n 2 text");
        Assumptions.assumeTrue(run.code() != 77, "no limit of address space on this system");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).containsPattern("[Cc]ould not (reserve|allocate)|memory");
    }

    @Test
    void aLocaleThatIsNotInstalledChangesNothing() throws Exception {
        CliRun run = shell(
                "mkdir 'mödel İı' && cp " + ROOT + "/test-data/demo-model/* 'mödel İı' &&"
                        + " $xlstm generate -t 0 -n 8 --model 'mödel İı' 'Once upon a time'",
                Map.of("LC_ALL", "xx_YY.UTF-8"));
        assertThat(run.code()).isZero(); // on stderr the shell complains of the locale
        assertThat(run.out())
                .isEqualTo(shell("$xlstm generate -t 0 -n 8 'Once upon a time'").out());
    }

    @Test
    void theCacheOfTheBuildIsUsed() throws Exception {
        assertThat(ROOT.resolve("cli/target/xlstm.aot")).as("made by the build").isNotEmptyFile();
        shell("$xlstm --version", Map.of("XLSTM_JAVA_OPTS", "-Xlog:class+load:file=" + directory.resolve("loaded")));
        assertThat(Files.readString(directory.resolve("loaded")))
                .containsPattern("dev\\.xlstm\\.cli\\.Main source: shared objects file");
    }

    @Test
    void aCacheThatDoesNotFitChangesNothing() throws Exception {
        CliRun run =
                shell("mkdir -p other/scripts other/cli/target && cp " + ROOT + "/scripts/xlstm other/scripts && cp "
                        + ROOT + "/cli/target/xlstm.jar other/cli/target && ln -s " + ROOT
                        + "/cli/target/lib other/cli/target/lib"
                        + " && head -c 100000 " + ROOT + "/cli/target/xlstm.aot >other/cli/target/xlstm.aot"
                        + " && other/scripts/xlstm --version");
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).isEqualTo(shell("$xlstm --version").out());
    }

    @Test
    void withoutTornadoVmTheGpuIsMissedInOneLine() throws Exception {
        CliRun devices = shell("$xlstm devices");
        assertThat(devices.code()).isZero();
        assertThat(devices.out().lines()).hasSize(2);
        assertThat(devices.out())
                .containsPattern("(?m)^\\* cpu  \\d+ processors, ")
                .containsPattern("(?m)^  gpu  none: .*TORNADOVM_HOME");
        CliRun run = shell("$xlstm generate --backend gpu text");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("xlstm: ").contains("TornadoVM").contains("TORNADOVM_HOME");
    }

    @Test
    void aWrongPlaceOfTornadoVmIsNamedWhereItMatters() throws Exception {
        Map<String, String> wrong = Map.of("TORNADOVM_HOME", directory.toString());
        for (String command : List.of("devices", "generate text", "generate --backend gpu text")) {
            CliRun run = shell("$xlstm " + command, wrong);
            assertThat(run.code()).isEqualTo(1);
            assertThat(run.err())
                    .isEqualTo("xlstm: TORNADOVM_HOME is '" + directory
                            + "', which has no tornado-argfile: set it to a TornadoVM SDK\n");
        }
        for (String command : List.of("--version", "generate --backend cpu -n 1 text", "tokenize text")) {
            assertThat(shell("$xlstm " + command, wrong).code()).as(command).isZero();
        }
    }

    /** Without the launcher's flags the engine refuses to run slowly. */
    @Test
    void aJvmWithoutTheVectorModuleIsTold() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin/java").toString();
        CliRun run =
                shell("'" + java + "' -cp '" + ROOT + "/cli/target/xlstm.jar' dev.xlstm.cli.Main generate --model '"
                        + ROOT + "/test-data/demo-model' text");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).startsWith("xlstm: ").contains("vector module").contains("launcher");
    }
}
