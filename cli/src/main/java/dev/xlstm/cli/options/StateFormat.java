package dev.xlstm.cli.options;

import dev.xlstm.generation.TextSession;
import dev.xlstm.safetensors.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The format of state files. */
public final class StateFormat {

    /** The type of the elements. */
    enum Type {
        F32,
        BF16;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--state-dtype",
            paramLabel = "TYPE",
            description = "Write states as f32 (resumes exactly) or bf16 (half the size, approximate). Default: f32")
    private Type type = Type.F32;

    /**
     * Checks before the work that a state file can be written.
     *
     * @param file may be null
     */
    public static void check(Path file, CommandSpec spec) {
        if (file == null) {
            return;
        }
        Path directory = file.toAbsolutePath().getParent();
        if (directory == null || !Files.isDirectory(directory) || Files.isDirectory(file)) {
            throw new ParameterException(
                    spec.commandLine(), file + ": cannot be written; name a file in an existing directory");
        }
    }

    public void save(TextSession session, Path file) throws IOException {
        session.save(file, DType.valueOf(type.name()));
    }
}
