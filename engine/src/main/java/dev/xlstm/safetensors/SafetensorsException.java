package dev.xlstm.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/** A file that is not what its format promises. The message is one line: the file, what is wrong, what to do. */
public final class SafetensorsException extends IOException {

    private static final long serialVersionUID = 1L;

    public SafetensorsException(Path file, String problem) {
        // names in files come from strangers: no line break or escape sequence gets through
        super((file + ": " + problem).replaceAll("\\p{Cc}", "?"));
    }
}
