package dev.xlstm.generation;

import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.Reader;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Measures how surprising each line of a text is to a model, while the text arrives and in constant memory. A token's bits
 * count for the line that its first character is in; a line feed belongs to the line that it ends.
 */
public final class LineScorer {

    private static final int READ_CHARS = 8192;
    private static final int EXCERPT_BYTES = 240; // of a line, kept for the listener

    /**
     * A scored line.
     *
     * @param number from 1
     * @param tokens scored ones that begin in the line
     * @param bits the sum of {@code -log2 p} of these tokens
     * @param characters code points, the line feed included
     * @param excerpt the beginning of its text
     */
    public record Line(long number, long tokens, double bits, long characters, String excerpt) {

        /** NaN for a line in which no token begins. */
        public double bitsPerToken() {
            return tokens == 0 ? Double.NaN : bits / tokens;
        }

        /** NaN for an empty line without a line feed. */
        public double bitsPerCharacter() {
            return characters == 0 ? Double.NaN : bits / characters;
        }
    }

    /** Receives lines in order. */
    public interface Listener {
        void line(Line line) throws IOException;
    }

    private final TextSession session;
    private final Tokenizer tokenizer;
    private final Listener listener;
    private long number = 1;
    private long tokens;
    private double bits;
    private long characters;
    private boolean begun; // whether anything of the line has come
    private final byte[] excerpt = new byte[EXCERPT_BYTES];
    private int excerptLength;

    private LineScorer(TextSession session, Listener listener) {
        this.session = session;
        this.listener = listener;
        tokenizer = session.model().requireTokenizer();
    }

    /**
     * Scores each line after all text before it; the session reads the text.
     *
     * @throws dev.xlstm.error.BadRequestException if the model has no tokenizer
     */
    public static void score(TextSession session, Reader text, Listener listener) throws IOException {
        LineScorer scorer = new LineScorer(session, listener);
        scorer.read(text);
        scorer.finish();
    }

    /**
     * Scores each line by itself, after what the session has read. A line feed is not part of a line here.
     *
     * @param session is left as it is
     */
    public static void scoreEach(TextSession session, Reader text, Listener listener) throws IOException {
        try (TextSession line = session.fork()) {
            LineScorer scorer = new LineScorer(line, listener);
            SingleLine single = new SingleLine(text);
            while (single.next()) {
                line.copyFrom(session);
                scorer.begun = true;
                scorer.read(single);
                scorer.end();
            }
        }
    }

    private void read(Reader text) throws IOException {
        PromptEncoder encoder = session.model().promptEncoder(session.position() == 0);
        char[] piece = new char[READ_CHARS];
        for (int count = text.read(piece); count >= 0; count = text.read(piece)) {
            score(encoder.append(CharBuffer.wrap(piece, 0, count)));
        }
        score(encoder.finish());
    }

    private void score(int[] ids) throws IOException {
        double[] logProbabilities = new double[ids.length];
        session.session().score(ids, (index, logProbability) -> logProbabilities[index] = logProbability);
        for (int i = 0; i < ids.length; i++) {
            count(ids[i], logProbabilities[i]);
        }
    }

    private void count(int id, double logProbability) throws IOException {
        boolean scored = !Double.isNaN(logProbability);
        if (!scored && tokenizer.isSpecial(id)) {
            return; // put before the text
        }
        if (scored) {
            begun = true;
            tokens++;
            bits -= logProbability / Math.log(2);
        }
        for (byte b : tokenizer.bytes(id)) {
            begun = true;
            characters += (b & 0xc0) == 0x80 ? 0 : 1; // UTF-8: bytes that continue a character do not count
            if (b == '\n') {
                end();
            } else if (excerptLength < EXCERPT_BYTES) {
                excerpt[excerptLength++] = b;
            }
        }
    }

    private void finish() throws IOException {
        if (begun) {
            end();
        }
    }

    private void end() throws IOException {
        String text = new String(excerpt, 0, excerptLength, StandardCharsets.UTF_8);
        listener.line(new Line(number++, tokens, bits, characters, text));
        tokens = 0;
        bits = 0;
        characters = 0;
        excerptLength = 0;
        begun = false;
    }

    /** One line of a text after another, each read as a text of its own. */
    private static final class SingleLine extends Reader {

        private final Reader text;
        private int next = -2; // a character read ahead; -1 at the end of the text, -2 for none
        private boolean ended;

        SingleLine(Reader text) {
            this.text = text;
        }

        /** Whether there is another line. */
        boolean next() throws IOException {
            ended = false;
            next = text.read();
            return next >= 0;
        }

        @Override
        public int read(char[] buffer, int offset, int length) throws IOException {
            int count = 0;
            while (!ended && count < length) {
                int c = next == -2 ? text.read() : next;
                next = -2;
                if (c < 0 || c == '\n') {
                    ended = true;
                } else {
                    buffer[offset + count++] = (char) c;
                }
            }
            return count == 0 && length > 0 ? -1 : count;
        }

        @Override
        public void close() throws IOException {
            text.close();
        }
    }
}
