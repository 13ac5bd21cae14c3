package dev.xlstm.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

/** Runs the examples of the documents. */
class DocsIT {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @TempDir
    Path directory;

    private static String first(String pattern) throws IOException {
        Matcher matcher = Pattern.compile(pattern, Pattern.DOTALL).matcher(Files.readString(ROOT.resolve("README.md")));
        assertThat(matcher.find()).as(pattern).isTrue();
        return matcher.group(1);
    }

    /** The stdout of a command run in the project's directory. On stderr only the JVM's own warning may appear. */
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
        assertThat(process.waitFor(300, TimeUnit.SECONDS)).isTrue();
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

    /** The pages that hold console blocks. */
    static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
        try (Stream<Path> topics = Files.list(ROOT.resolve("cli/docs"))) {
            topics.sorted().forEach(pages::add);
        }
        pages.removeIf(page -> !read(page).contains("```console\n"));
        assertThat(pages).hasSizeGreaterThan(3);
        return pages;
    }

    private static String read(Path page) {
        try {
            return Files.readString(page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The console blocks of a page are one shell session in an empty directory: a line after $ is typed, the other lines are
     * its output.
     */
    @ParameterizedTest
    @MethodSource("pages")
    void consoleBlocksShowWhatAShellPrints(Path page) throws Exception {
        StringBuilder script = new StringBuilder("cd \"$1\" && PATH=\"$2:$PATH\"\n");
        StringBuilder expected = new StringBuilder();
        Matcher blocks = Pattern.compile("```console\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(page));
        while (blocks.find()) {
            for (String line : blocks.group(1).lines().toList()) {
                expected.append(line).append('\n');
                if (line.startsWith("$ ")) {
                    script.append("printf '%s\\n' '")
                            .append(line.replace("'", "'\\''"))
                            .append("'\n");
                    script.append(line.substring(2)).append('\n');
                }
            }
        }
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
