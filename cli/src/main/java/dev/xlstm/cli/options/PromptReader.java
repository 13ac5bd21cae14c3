package dev.xlstm.cli.options;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;

/**
 * Streams the parts of a prompt as one text: a stream of UTF-8, then an argument. Invalid UTF-8 becomes U+FFFD. Drops a byte
 * order mark, and one line feed at the end of the stream, which editors and echo append. Never splits a surrogate pair
 * between two reads.
 */
public final class PromptReader extends Reader {

    private static final int CHARS = 8192;
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Reader body; // null if there is none
    private final String argument; // null if there is none
    private final String join;
    private boolean joining; // the next part is not the first
    private boolean began;
    private boolean bodyEnded;
    private boolean ended;
    private String held = ""; // dropped if the body ends here
    private final StringBuilder ready = new StringBuilder();
    private final char[] piece = new char[CHARS];

    /**
     * @param body may be null
     * @param argument may be null
     * @param join separates parts that are not empty
     * @param follows whether the prompt continues a text, so that {@code join} also precedes its first part
     */
    public PromptReader(InputStream body, String argument, String join, boolean follows) {
        this.body = body == null ? null : new InputStreamReader(body, StandardCharsets.UTF_8);
        this.argument = argument;
        this.join = join;
        this.joining = follows;
        bodyEnded = body == null;
    }

    /** Whether the prompt is empty; blocks until its first text arrives. */
    public boolean isEmpty() throws IOException {
        fill();
        return ready.isEmpty();
    }

    @Override
    public int read(char[] chars, int offset, int length) throws IOException {
        fill();
        if (ready.isEmpty()) {
            return -1;
        }
        int count = Math.min(length, ready.length());
        if (count < ready.length() && count > 1 && Character.isHighSurrogate(ready.charAt(count - 1))) {
            count--;
        }
        ready.getChars(0, count, chars, offset);
        ready.delete(0, count);
        return count;
    }

    private void fill() throws IOException {
        while (ready.isEmpty() && !ended) {
            if (bodyEnded) {
                part(argument == null ? "" : argument);
                ended = true;
            } else {
                readBody();
            }
        }
    }

    private void readBody() throws IOException {
        int count = body.read(piece);
        if (count < 0) {
            bodyEnded = true;
            String last = held.endsWith("\n") ? "" : held;
            held = "";
            body(last);
            joining |= began;
            return;
        }
        int from = !began && held.isEmpty() && count > 0 && piece[0] == BYTE_ORDER_MARK ? 1 : 0;
        String text = held + new String(piece, from, count - from);
        int end = text.length() - endLength(text);
        held = text.substring(end);
        body(text.substring(0, end));
    }

    /** The length of the tail to hold back: a possible last line feed, or half a surrogate pair. */
    private static int endLength(String text) {
        if (text.endsWith("\r\n")) {
            return 2;
        }
        boolean open = !text.isEmpty()
                && (text.endsWith("\n")
                        || text.endsWith("\r")
                        || Character.isHighSurrogate(text.charAt(text.length() - 1)));
        return open ? 1 : 0;
    }

    private void body(String text) {
        if (began) {
            ready.append(text);
        } else if (!text.isEmpty()) {
            began = true;
            part(text);
        }
    }

    private void part(String text) {
        if (!text.isEmpty()) {
            ready.append(joining ? join : "").append(text);
        }
    }

    @Override
    public void close() throws IOException {
        if (body != null) {
            body.close();
        }
    }
}
