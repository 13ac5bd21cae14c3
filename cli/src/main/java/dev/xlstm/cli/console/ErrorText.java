package dev.xlstm.cli.console;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** The text of a failure for stderr. */
public final class ErrorText {

    private ErrorText() {}

    /** What happened, for the user; may contain line feeds. */
    public static String describe(Throwable e) {
        if (e instanceof UncheckedIOException && !(e instanceof Streams.OutputException)) {
            return describe(e.getCause());
        }
        if (e instanceof OutOfMemoryError) {
            return "out of memory (" + e.getMessage() + "); give the JVM more, as in XLSTM_JAVA_OPTS=-Xmx1g";
        }
        Throwable cause = e.getCause();
        String message = e.getMessage();
        if (cause != null && (message == null || message.equals(cause.toString()))) {
            return describe(cause); // a wrapper whose message is only the class and message of its cause
        }
        if (message == null) {
            return "internal error, please report: " + e.getClass().getName() + " (--debug shows where)";
        }
        // the message of these is only the file's name
        if (e instanceof NoSuchFileException || e instanceof FileNotFoundException) {
            return message + ": no such file";
        }
        if (e instanceof AccessDeniedException) {
            return message + ": no permission to read it";
        }
        if (e instanceof CharacterCodingException) {
            return "text is not UTF-8 (" + message + ")";
        }
        boolean meant = e instanceof IOException
                || e instanceof UncheckedIOException
                || e instanceof IllegalStateException
                || e instanceof IllegalArgumentException;
        return meant ? message : "internal error, please report: " + e + " (--debug shows where)";
    }

    /** A message without line feeds. */
    public static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
