package dev.xlstm.error;

import java.io.IOException;
import java.nio.file.Path;

/** A file exists but cannot be used: damaged, of an unsupported format or version, or written for another model. */
public class DamagedFileException extends IOException {

    private static final long serialVersionUID = 1;

    public DamagedFileException(Path file, String problem) {
        this(file + ": " + problem);
    }

    public DamagedFileException(String message) {
        super(OneLine.of(message));
    }

    public DamagedFileException(String message, Throwable cause) {
        super(OneLine.of(message), cause);
    }
}
