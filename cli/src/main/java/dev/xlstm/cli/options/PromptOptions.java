package dev.xlstm.cli.options;

import dev.xlstm.cli.console.Streams;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The parts of a prompt, in order: a state, a file or stdin, the argument. */
public final class PromptOptions {

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description =
                    "Read the prompt from FILE, without the line feed at its end. Standard input is then not read.")
    private Path file;

    @Option(
            names = "--no-stdin",
            fallbackValue = "true",
            description = "Do not read standard input, for example within a shell loop that reads it.")
    private boolean noStdin;

    @Option(
            names = "--join",
            paramLabel = "TEXT",
            description = "Text between the parts of the prompt. Default: a blank line")
    private String join = "\n\n";

    @Option(
            names = "--state",
            paramLabel = "FILE",
            description =
                    "Continue the text of this state file. The prompt, if there is one, is appended to that text.")
    private Path state;

    public Path state() {
        return state;
    }

    public boolean fileGiven() {
        return file != null;
    }

    /**
     * Opens the prompt and waits for the first of its text.
     *
     * @param argument may be null; "-" is stdin
     * @param quiet whether to wait for stdin without a message
     * @throws ParameterException if there is nothing to read
     */
    public PromptReader open(String argument, boolean quiet, Streams streams, CommandSpec spec) throws IOException {
        boolean dash = argument != null && argument.equals("-");
        if (noStdin && (dash || file != null && TextInput.isStdin(file))) {
            throw new ParameterException(spec.commandLine(), "give --no-stdin or '-', not both");
        }
        String text = dash ? null : argument;
        InputStream stdin = quiet ? streams.in() : streams.announcedIn();
        PromptReader prompt =
                new PromptReader(body(dash, text, stdin, !streams.inIsTerminal(), spec), text, join, state != null);
        if (text == null && state == null && prompt.isEmpty()) {
            String origin = file == null || TextInput.isStdin(file) ? "standard input" : file.toString();
            throw new ParameterException(spec.commandLine(), "nothing to read: " + origin + " is empty");
        }
        return prompt;
    }

    private InputStream body(boolean dash, String text, InputStream stdin, boolean piped, CommandSpec spec)
            throws IOException {
        if (file != null && !TextInput.isStdin(file)) {
            if (dash) {
                throw new ParameterException(spec.commandLine(), "give a file or '-', not both");
            }
            if (Files.isDirectory(file)) {
                throw new IOException(file + ": is a directory; name a file");
            }
            return Files.newInputStream(file);
        }
        if (file != null || dash || piped && !noStdin) {
            return stdin;
        }
        if (text == null && state == null) {
            throw new ParameterException(
                    spec.commandLine(), "nothing to read: give the text as an argument, with -f, or through a pipe");
        }
        return null;
    }
}
