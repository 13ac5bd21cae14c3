package dev.xlstm.cli.chat;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;

/** The user's own editor. */
final class ChatEditor {

    private ChatEditor() {}

    /** Lets the user write in {@code $VISUAL} or {@code $EDITOR}, else vi; returns the text. */
    static String edit(String text) throws IOException {
        String editor = System.getenv().getOrDefault("VISUAL", System.getenv("EDITOR"));
        Path file = Files.createTempFile("xlstm-", ".md"); // readable by the user alone
        try {
            Files.writeString(file, text);
            String command = (editor == null || editor.isBlank() ? "vi" : editor) + " \"$1\"";
            int exit = new ProcessBuilder("/bin/sh", "-c", command, "sh", file.toString())
                    .inheritIO()
                    .redirectError(Redirect.appendTo(new File("/dev/tty")))
                    .start()
                    .waitFor();
            if (exit != 0) {
                throw new IOException("the editor ended with " + exit + "; set EDITOR to another");
            }
            return Files.readString(file);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        } finally {
            Files.deleteIfExists(file);
        }
    }
}
