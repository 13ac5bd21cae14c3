package dev.xlstm.error;

import java.io.IOException;
import java.nio.file.Path;

/** A model, session or file does not exist. */
public class NotFoundException extends IOException {

    private static final long serialVersionUID = 1;

    public NotFoundException(Path file, String problem) {
        super(OneLine.of(file + ": " + problem));
    }
}
