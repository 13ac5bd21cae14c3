package dev.xlstm.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;

/**
 * Which parts of an unfinished file are complete. Kept in a text file beside it, one line a part, appended after the part
 * was written: a killed transfer loses the parts in flight and nothing else. Thread-safe.
 */
final class PartMap implements AutoCloseable {

    private static final int MAX_BYTES = 16 << 20;

    private final long size;
    private final int partBytes;
    private final int parts;
    private final BitSet done = new BitSet();
    private final FileChannel journal;

    private PartMap(FileChannel journal, long size, int partBytes) {
        this.journal = journal;
        this.size = size;
        this.partBytes = partBytes;
        parts = Math.toIntExact((size + partBytes - 1) / partBytes);
    }

    /**
     * Opens or begins a map.
     *
     * @param etag names the content; a map of other content is discarded
     * @param keep whether what the file says still holds, that is, whether the unfinished file is there
     */
    static PartMap open(Path file, String etag, long size, int partBytes, boolean keep) throws IOException {
        String header = "xlstm parts 1 " + etag + " " + size + " " + partBytes;
        String text = keep && Files.isRegularFile(file) && Files.size(file) <= MAX_BYTES
                ? Files.readString(file, StandardCharsets.ISO_8859_1)
                : "";
        boolean same = text.startsWith(header + "\n");
        FileChannel journal = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            PartMap map = new PartMap(journal, size, partBytes);
            if (same) {
                map.restore(text.substring(header.length() + 1));
                journal.position(header.length()
                        + 1
                        + text.substring(header.length() + 1).lastIndexOf('\n')
                        + 1);
                journal.truncate(journal.position());
            } else {
                journal.truncate(0);
                map.append(header);
            }
            return map;
        } catch (Throwable e) {
            journal.close();
            throw e;
        }
    }

    /** A line that was cut short by a kill does not count. */
    private void restore(String lines) {
        for (int at = 0, end = lines.indexOf('\n'); end >= 0; at = end + 1, end = lines.indexOf('\n', at)) {
            String line = lines.substring(at, end);
            if (line.matches("\\d{1,9}") && Integer.parseInt(line) < parts) {
                done.set(Integer.parseInt(line));
            }
        }
    }

    int count() {
        return parts;
    }

    long begin(int part) {
        return (long) part * partBytes;
    }

    long end(int part) {
        return Math.min(size, begin(part) + partBytes);
    }

    synchronized boolean isDone(int part) {
        return done.get(part);
    }

    /** Marks a part; returns whether it was not marked before. */
    synchronized boolean complete(int part) throws IOException {
        boolean isNew = !done.get(part);
        if (isNew) {
            append(Integer.toString(part));
            done.set(part);
        }
        return isNew;
    }

    private void append(String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.ISO_8859_1));
        while (bytes.hasRemaining()) {
            journal.write(bytes);
        }
    }

    /** Bytes of the complete parts. */
    synchronized long doneBytes() {
        long bytes = 0;
        for (int part = done.nextSetBit(0); part >= 0; part = done.nextSetBit(part + 1)) {
            bytes += end(part) - begin(part);
        }
        return bytes;
    }

    @Override
    public void close() throws IOException {
        journal.close();
    }
}
