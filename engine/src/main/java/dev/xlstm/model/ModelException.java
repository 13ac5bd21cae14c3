package dev.xlstm.model;

import java.io.IOException;
import java.nio.file.Path;

/** A model that cannot be used. The message is one line: the file, the field or tensor, what is wrong, what to do. */
public final class ModelException extends IOException {

    private static final long serialVersionUID = 1L;

    public ModelException(Path file, String problem) {
        this(file + ": " + problem);
    }

    public ModelException(String message) {
        // names in files come from strangers: no line break or escape sequence gets through
        super(message.replaceAll("\\p{Cc}", "?"));
    }
}
