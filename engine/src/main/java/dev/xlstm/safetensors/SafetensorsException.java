package dev.xlstm.safetensors;

import dev.xlstm.error.DamagedFileException;
import java.nio.file.Path;

/** A file breaks the rules of its format. The message is one line: the file, the fault, what to do. */
public final class SafetensorsException extends DamagedFileException {

    private static final long serialVersionUID = 1L;

    public SafetensorsException(Path file, String problem) {
        super(file, problem);
    }
}
