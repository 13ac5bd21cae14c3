package dev.xlstm.safetensors;

import java.io.IOException;
import java.nio.file.Path;

/** A file that is not what its format promises. The message is one line: the file, what is wrong, what to do. */
public final class SafetensorsException extends IOException {

    private static final long serialVersionUID = 1L;

    public SafetensorsException(Path file, String problem) {
        super(oneLine(file + ": " + problem));
    }

    // names in files come from strangers: no line break or escape sequence gets through
    private static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        for (char c : message.toCharArray()) {
            if (Character.isISOControl(c)) {
                line.append(String.format("\\u%04x", (int) c));
            } else {
                line.append(c);
            }
        }
        return line.toString();
    }
}
