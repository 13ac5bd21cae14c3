package dev.xlstm.cli.chat;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;

/** Runs the user's editor. */
final class ChatEditor {

    private ChatEditor() {}

    /** Opens a text in {@code $VISUAL}, {@code $EDITOR} or vi, and returns it as saved. */
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
