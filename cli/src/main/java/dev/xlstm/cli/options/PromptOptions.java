package dev.xlstm.cli.options;

import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Where a prompt comes from. Its parts, in order: a state, a file or stdin, the argument. */
public final class PromptOptions {

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Read the prompt from FILE; a line feed at its end is not part of it. A pipe is then not"
                    + " read.")
    private Path file;

    @Option(
            names = "--join",
            paramLabel = "TEXT",
            description = "What to put between the parts of the prompt. Default: a blank line")
    private String join = "\n\n";

    @Option(
            names = "--state",
            paramLabel = "FILE",
            description = "Go on where the text of this state file stopped. A prompt follows on it as its next part;"
                    + " without one the text just goes on.")
    private Path state;

    public Path state() {
        return state;
    }

    public boolean fileGiven() {
        return file != null;
    }

    /**
     * The prompt, up to its first text at least.
     *
     * @param argument may be null; "-" is stdin
     * @throws ParameterException if there is nothing to read
     */
    public PromptReader open(String argument, Streams streams, CommandSpec spec) throws IOException {
        boolean dash = argument != null && argument.equals("-");
        String text = dash ? null : argument;
        PromptReader prompt = new PromptReader(body(dash, text, streams, spec), text, join, state != null);
        if (text == null && state == null && prompt.isEmpty()) {
            String origin = file == null || TextInput.isStdin(file) ? "standard input" : file.toString();
            throw new ParameterException(spec.commandLine(), "nothing to read: " + origin + " is empty");
        }
        return prompt;
    }

    private InputStream body(boolean dash, String text, Streams streams, CommandSpec spec) throws IOException {
        if (file != null && !TextInput.isStdin(file)) {
            if (dash) {
                throw new ParameterException(spec.commandLine(), "give a file or '-', not both");
            }
            if (Files.isDirectory(file)) {
                throw new IOException(file + ": is a directory, not a text");
            }
            return Files.newInputStream(file);
        }
        if (file != null || dash || !streams.inIsTerminal()) {
            return streams.in();
        }
        if (text == null && state == null) {
            throw new ParameterException(
                    spec.commandLine(), "nothing to read: give the text as an argument, with -f, or through a pipe");
        }
        return null;
    }
}
