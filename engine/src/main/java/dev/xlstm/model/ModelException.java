package dev.xlstm.model;

import dev.xlstm.error.DamagedFileException;
import java.nio.file.Path;

/** A model that cannot be used. The message is one line: the file, the field or tensor, the fault, what to do. */
public final class ModelException extends DamagedFileException {

    private static final long serialVersionUID = 1L;

    public ModelException(Path file, String problem) {
        super(file, problem);
    }

    public ModelException(String message) {
        super(message);
    }
}
