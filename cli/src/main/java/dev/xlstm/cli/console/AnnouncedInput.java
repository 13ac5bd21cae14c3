package dev.xlstm.cli.console;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * stdin that is not a terminal. If nothing arrives within a second of the first read, a message says that the program waits:
 * in a script or a shell loop, stdin may be a pipe that nobody meant to read.
 */
final class AnnouncedInput extends FilterInputStream {

    private static final long DELAY_MILLIS = 1000;

    private final Streams streams;
    private boolean begun;
    private volatile boolean arrived;

    AnnouncedInput(InputStream in, Streams streams) {
        super(in);
        this.streams = streams;
    }

    @Override
    public int read() throws IOException {
        begin();
        int read = super.read();
        arrived = true;
        return read;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        begin();
        int count = super.read(bytes, offset, length);
        arrived = true;
        return count;
    }

    private void begin() {
        if (!begun) {
            begun = true;
            Thread.ofPlatform().daemon().name("stdin-notice").start(this::announce);
        }
    }

    private void announce() {
        try {
            Thread.sleep(DELAY_MILLIS);
        } catch (InterruptedException e) {
            return;
        }
        if (!arrived) {
            streams.message("xlstm: waiting for standard input");
        }
    }
}
