package dev.xlstm.cli.console;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The three standard streams, and which of them are terminals. stdout is UTF-8 whatever the locale, and flushed after every
 * piece of text.
 */
public final class Streams {

    /** The system property that holds the file descriptor of stdout. */
    public static final String STDOUT = "xlstm.stdout";

    private final InputStream in;
    private final OutputStream out;
    private final PrintStream err;
    private final List<String> terminals;

    /**
     * @param terminals which of "in", "out" and "err" are terminals
     */
    public Streams(InputStream in, OutputStream out, PrintStream err, List<String> terminals) {
        this.in = in;
        this.out = out;
        this.err = err;
        this.terminals = terminals;
    }

    /** The streams of the process. The launcher says which are terminals, since asking from Java takes 0.1 s. */
    public static Streams ofProcess(OutputStream out) {
        String terminals = System.getProperty("xlstm.terminals", "");
        return new Streams(new FileInputStream(FileDescriptor.in), out, System.err, List.of(terminals.split(",")));
    }

    /** stdout could not be written. */
    public static final class OutputException extends UncheckedIOException {
        private static final long serialVersionUID = 1L;

        OutputException(IOException cause) {
            super("cannot write to standard output: " + cause.getMessage(), cause);
        }

        /** Whether the reader closed stdout: a pipe or socket, which fails for no other reason. */
        public static boolean readerIsGone() {
            try {
                int type = (int) Files.getAttribute(Path.of("/dev/fd/" + Integer.getInteger(STDOUT, 1)), "unix:mode")
                        & 0170000;
                return type == 0010000 || type == 0140000; // S_IFIFO, S_IFSOCK
            } catch (IOException | UnsupportedOperationException e) {
                return false;
            }
        }
    }

    public InputStream in() {
        return in;
    }

    /** stdin; a message on stderr says so if it makes the program wait, unless it is a terminal. */
    public InputStream announcedIn() {
        return inIsTerminal() ? in : new AnnouncedInput(in, this);
    }

    public boolean inIsTerminal() {
        return terminals.contains("in");
    }

    public boolean outIsTerminal() {
        return terminals.contains("out");
    }

    public boolean errIsTerminal() {
        return terminals.contains("err");
    }

    /** Reads stdin to its end as UTF-8; invalid bytes become U+FFFD. */
    public String readAll() throws IOException {
        return new String(announcedIn().readAllBytes(), StandardCharsets.UTF_8);
    }

    /**
     * Writes to stdout and flushes. Thread-safe.
     *
     * @throws OutputException if that fails
     */
    public synchronized void print(String text) {
        try {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            throw new OutputException(e);
        }
    }

    /** Prints text of a model or another untrusted source; on a terminal, control characters are shown in caret notation. */
    public void printUntrusted(String text) {
        print(outIsTerminal() ? visible(text) : text);
    }

    /**
     * Replaces control characters, except line feed and tab, by caret notation as {@code cat -v} does, and bidirectional
     * controls, which can disguise text, by their numbers.
     */
    public static String visible(String text) {
        StringBuilder shown = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069) {
                shown.append(String.format("<U+%04X>", (int) c));
            } else if (c == '\n' || c == '\t' || !Character.isISOControl(c)) {
                shown.append(c);
            } else if (c < 0x80) {
                shown.append('^').append((char) (c ^ 0x40));
            } else {
                shown.append("M-^").append((char) (c - 0x40));
            }
        }
        return shown.toString();
    }

    /** Prints a line on stderr. It may quote untrusted text: control characters are shown, and a long line is shortened. */
    public void message(String line) {
        String shown = visible(line);
        if (shown.length() > CliLimits.MESSAGE_CHARS) {
            int end = CliLimits.MESSAGE_CHARS / 4; // the end of a message says what to do
            shown = shown.substring(0, CliLimits.MESSAGE_CHARS - end) + " ... " + shown.substring(shown.length() - end);
        }
        err.println(shown);
        err.flush();
    }

    /** Text as it is, without a line feed; for a terminal. */
    void drawOnStderr(String text) {
        err.print(text);
        err.flush();
    }

    public PrintStream err() {
        return err;
    }

    /** stdout as a Writer. */
    public Writer writer() {
        return new Writer() {
            @Override
            public void write(char[] chars, int offset, int length) {
                print(new String(chars, offset, length));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
    }
}
