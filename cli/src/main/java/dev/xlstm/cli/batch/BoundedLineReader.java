package dev.xlstm.cli.batch;

import dev.xlstm.cli.console.CliLimits;
import java.io.IOException;
import java.io.Reader;

/** Reads lines. Skips a line that is longer than a limit instead of buffering it. */
public final class BoundedLineReader implements AutoCloseable {

    /** Returned in place of a line that is too long. */
    public static final String TOO_LONG = new String("a line of more than " + CliLimits.LINE_CHARS + " characters");

    private final Reader in;
    private final int limit;
    private final char[] buffer = new char[8192];
    private int at;
    private int end;
    private boolean begun;

    public BoundedLineReader(Reader in, int limit) {
        this.in = in;
        this.limit = limit;
    }

    /** The next line without LF or CR LF; the instance {@link #TOO_LONG} for one over the limit; null at the end. */
    public String next() throws IOException {
        StringBuilder line = new StringBuilder();
        boolean any = false;
        boolean tooLong = false;
        while (at < end || fill()) {
            any = true;
            int from = at;
            while (at < end && buffer[at] != '\n') {
                at++;
            }
            tooLong |= line.length() + at - from > limit;
            if (tooLong) {
                line.setLength(0);
            } else {
                line.append(buffer, from, at - from);
            }
            if (at < end) {
                at++;
                break;
            }
        }
        if (tooLong) {
            return TOO_LONG;
        }
        int length = line.length();
        if (length > 0 && line.charAt(length - 1) == '\r') {
            line.setLength(length - 1);
        }
        return any ? line.toString() : null;
    }

    private boolean fill() throws IOException {
        at = 0;
        end = Math.max(0, in.read(buffer));
        if (!begun && end > 0) {
            begun = true;
            if (buffer[0] == '\uFEFF') { // a byte order mark
                at = 1;
            }
        }
        return at < end || end > 0 && fill();
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
