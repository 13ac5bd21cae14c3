package dev.xlstm.safetensors;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WholeFileTest {

    @TempDir
    Path directory;

    @Test
    void theOldStaysUntilTheNewIsWhole() throws IOException {
        Path target = Files.writeString(directory.resolve("notes.md"), "old");
        try (WholeFile file = WholeFile.create(target)) {
            file.write(ByteBuffer.wrap("ne".getBytes()), 0);
            assertThat(target).hasContent("old");
            file.write(ByteBuffer.wrap("w!".getBytes()), 2);
            file.commit();
        }
        assertThat(target).hasContent("new!");
        try (WholeFile file = WholeFile.create(target)) {
            file.write(ByteBuffer.wrap("half".getBytes()), 0);
        }
        assertThat(target).hasContent("new!");
        assertThat(directory).isDirectoryNotContaining("glob:**/.*");
    }

    /** Begins a file and waits. */
    public static final class Unfinished {
        public static void main(String[] args) throws Exception {
            WholeFile file = WholeFile.create(Path.of(args[0]));
            file.write(ByteBuffer.wrap("half".getBytes()), 0);
            System.out.println("written");
            Thread.sleep(60_000);
            file.commit();
        }
    }

    @Test
    void aProcessThatIsToldToEndLeavesNothing() throws Exception {
        String classes = Stream.of(WholeFile.class, Unfinished.class)
                .map(type ->
                        type.getProtectionDomain().getCodeSource().getLocation().getPath())
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        classes,
                        Unfinished.class.getName(),
                        directory.resolve("notes.md").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            assertThat(process.inputReader().readLine()).isEqualTo("written");
            assertThat(directory).isDirectoryContaining("glob:**/.notes.md.*.tmp");
            process.destroy(); // by TERM
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void errorsNameTheFileThatIsMeant() throws IOException {
        Path nowhere = directory.resolve("nowhere/notes.md");
        assertThatThrownBy(() -> WholeFile.write(nowhere, new byte[1]))
                .hasMessage(nowhere + ": cannot be written: there is no such directory");
        Path taken = Files.createDirectories(directory.resolve("taken"));
        Files.createFile(taken.resolve("x"));
        assertThatThrownBy(() -> WholeFile.write(taken, new byte[1]))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(taken + ": cannot be written: ")
                .hasMessageContaining("irectory");
        assertThat(directory).isDirectoryNotContaining("glob:**/.*");
    }
}
