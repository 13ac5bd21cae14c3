package dev.xlstm.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
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

    @Test
    void whatIsUnfinishedWhenAProcessEndsIsDeleted() throws IOException {
        Path target = Files.writeString(directory.resolve("notes.md"), "old");
        WholeFile.write(directory.resolve("done.md"), new byte[1]);
        try (WholeFile file = WholeFile.create(target)) {
            file.write(ByteBuffer.wrap("half".getBytes()), 0);
            WholeFile.deleteUnfinished();
            assertThat(directory).isDirectoryNotContaining("glob:**/.*");
            assertThatThrownBy(file::commit).hasMessageStartingWith(target + ": cannot be written: ");
        }
        assertThat(target).hasContent("old");
        assertThat(directory.resolve("done.md")).exists();
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
