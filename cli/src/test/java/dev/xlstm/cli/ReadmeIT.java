package dev.xlstm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** What the README says can be done, done. */
class ReadmeIT {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    Path directory;

    private static String first(String pattern) throws IOException {
        Matcher matcher = Pattern.compile(pattern, Pattern.DOTALL).matcher(Files.readString(ROOT.resolve("README.md")));
        assertThat(matcher.find()).as(pattern).isTrue();
        return matcher.group(1);
    }

    /** The output of a command run in the project's directory; nothing may be on stderr but the JVM's own warning. */
    private String run(List<String> command) throws IOException, InterruptedException {
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(ROOT.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("XLSTM_"));
        builder.environment().put("XDG_CONFIG_HOME", "/none");
        Process process = builder.start();
        process.getOutputStream().close();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(err).replace("WARNING: Using incubator modules: jdk.incubator.vector\n", ""))
                .isEmpty();
        assertThat(process.exitValue()).isZero();
        return Files.readString(out);
    }

    @Test
    void theLibraryExampleRunsAsSaid() throws Exception {
        Path source = directory.resolve("Example.java");
        Files.writeString(source, first("```java\n(.*?)```"));
        String said = first("Run it with `java (.*?) Example\\.java`");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        command.addAll(List.of(said.split(" ")));
        command.add(source.toString());
        String out = run(command);
        String[] parts = out.split("\n", 2);
        assertThat(out.lines().count()).isGreaterThanOrEqualTo(2);
        String shorter = out.lines().toList().getLast();
        assertThat(shorter).isNotBlank().doesNotContain(".");
        assertThat(out)
                .as("both go on in the same way, one until its first sentence ends")
                .startsWith(shorter);
        assertThat(parts[0]).isNotBlank();
    }

    @Test
    void theFirstCommandPrintsAStory() throws Exception {
        String command = first("```sh\n(scripts/xlstm generate [^\n]*)");
        assertThat(run(List.of("sh", "-c", command))).hasSizeGreaterThan(100);
    }

    /** All console blocks, as one session of a shell in an empty directory: a line after $ is typed, the others come back. */
    @Test
    void transcriptsAreWhatAShellShows() throws Exception {
        StringBuilder script = new StringBuilder("cd \"$1\" && PATH=\"$2:$PATH\"\n");
        StringBuilder expected = new StringBuilder();
        int commands = 0;
        Matcher blocks = Pattern.compile("```console\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(ROOT.resolve("README.md")));
        while (blocks.find()) {
            for (String line : blocks.group(1).lines().toList()) {
                expected.append(line).append('\n');
                if (line.startsWith("$ ")) {
                    String command = line.substring(2);
                    script.append("printf '%s\\n' '")
                            .append(line.replace("'", "'\\''"))
                            .append("'\n");
                    script.append(command).append('\n');
                    commands++;
                }
            }
        }
        assertThat(commands).isGreaterThan(5);
        Path file = Files.writeString(directory.resolve("transcript.sh"), script);
        Path empty = Files.createDirectory(directory.resolve("empty"));
        String out = run(List.of(
                "bash",
                file.toString(),
                empty.toString(),
                ROOT.resolve("scripts").toString()));
        assertThat(out).isEqualTo(expected.toString());
    }
}
