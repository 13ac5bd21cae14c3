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

/** How state files are written. */
public final class StateFormat {

    /** Names as the checkpoints' formats have them. */
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
            description = "Write states as f32, which go on to the last bit, or as bf16: half the size, and near."
                    + " Default: f32")
    private Type type = Type.F32;

    /**
     * Says early what would fail late.
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
                    spec.commandLine(),
                    file + ": no state can be written there; name a file in a directory that exists");
        }
    }

    public void save(TextSession session, Path file) throws IOException {
        session.save(file, DType.valueOf(type.name()));
    }
}
