package dev.xlstm.cli.options;

import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * The text a command reads: an argument, a file or stdin.
 *
 * @param file may be null; "-" is stdin
 * @param argument may be null; "-" is stdin
 */
public record TextInput(Streams streams, CommandSpec spec, Path file, String argument) {

    public static boolean isStdin(Path file) {
        return file.toString().equals("-");
    }

    /** The argument, or else the whole text of the file or stdin. */
    public String exact() throws IOException {
        if (argument != null && !argument.equals("-")) {
            if (file != null) {
                throw new ParameterException(spec.commandLine(), "give the text as an argument or with -f, not both");
            }
            return argument;
        }
        return read();
    }

    /** The same text, read while it arrives; bytes that are not UTF-8 become U+FFFD. */
    public Reader reader() throws IOException {
        boolean named = argument != null && !argument.equals("-");
        if (named || file == null && argument == null && streams.inIsTerminal()) {
            return new StringReader(exact());
        }
        if (file != null && argument != null) {
            throw new ParameterException(spec.commandLine(), "give a file or '-', not both");
        }
        if (file != null && Files.isDirectory(file)) {
            throw new IOException(file + ": is a directory, not a text");
        }
        InputStream bytes = file == null || isStdin(file) ? streams.in() : Files.newInputStream(file);
        return new InputStreamReader(bytes, StandardCharsets.UTF_8);
    }

    private String read() throws IOException {
        if (file != null && !isStdin(file)) {
            if (argument != null && argument.equals("-")) {
                throw new ParameterException(spec.commandLine(), "give a file or '-', not both");
            }
            if (Files.isDirectory(file)) {
                throw new IOException(file + ": is a directory; name a file");
            }
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        }
        boolean named = file != null || argument != null && argument.equals("-");
        if (named || !streams.inIsTerminal()) {
            return streams.readAll();
        }
        if (argument == null) {
            throw new ParameterException(
                    spec.commandLine(), "nothing to read: give the text as an argument, with -f, or through a pipe");
        }
        return "";
    }
}
