package dev.xlstm.hub;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * The transfer of one file: several ranges at once, each written to its place in an unfinished file; hashed in the order of
 * the bytes while others arrive; renamed when it is complete and its hash is right. What a kill leaves, the next run goes
 * on from.
 */
final class BlobDownload {

    private static final int PART_BYTES = 1 << 20;
    private static final int PARTS_PER_REQUEST = 64;
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int PROGRESS_BYTES = 64 << 10; // resets the count of failed attempts

    private final HubClient client;
    private final TransferListener listener;
    private final Path blob;
    private final Path unfinished;
    private final Path journal;
    private final Retries retries;
    private final RemoteFile file;

    // of the run in progress
    private PartMap map;
    private FileChannel channel;
    private boolean[] taken; // guarded by this, as is all that follows
    private Span whole; // all of the file, where the server ignores ranges; else null
    private Throwable failure;
    private String validator; // the first answer's strong ETag

    /**
     * @param blob where the file is to appear
     */
    BlobDownload(HubClient client, String id, RemoteFile file, Path blob, TransferListener listener) {
        this.client = client;
        this.file = file;
        this.blob = blob;
        this.listener = listener;
        retries = new Retries(client, id, file, listener);
        unfinished = unfinished(blob);
        journal = journal(blob);
    }

    /** The file that grows. huggingface_hub names its own differently, and takes their length for progress. */
    static Path unfinished(Path blob) {
        return blob.resolveSibling(blob.getFileName() + ".xlstm-unfinished");
    }

    private static Path journal(Path blob) {
        return blob.resolveSibling(blob.getFileName() + ".xlstm-parts");
    }

    /** Bytes that an earlier run left, complete parts only. */
    static long bytesPresent(RemoteFile file, Path blob) throws IOException {
        if (!Files.exists(unfinished(blob)) || !Files.exists(journal(blob)) || file.size() < 0) {
            return 0;
        }
        try (PartMap map = PartMap.open(journal(blob), file.etag(), file.size(), PART_BYTES, true)) {
            return map.doneBytes();
        }
    }

    /**
     * Fetches the file.
     *
     * @throws HubException.Changed if the server's content changed meanwhile: describe the file again
     * @throws CancellationException if the listener says so
     */
    void run() throws IOException, InterruptedException {
        for (int round = 0; !fetch(); round++) {
            if (round == 1) {
                throw new HubException(file.path() + ": received twice, and each time the content did not match its"
                        + " name on the hub, " + file.etag() + "; nothing of it is kept. Try again later, or report it"
                        + " to the model's owner");
            }
        }
    }

    /** Returns false if the content is wrong; then nothing of it is left. */
    private boolean fetch() throws IOException, InterruptedException {
        boolean there = Files.exists(unfinished);
        boolean right;
        try (FileChannel opened = FileChannel.open(
                        unfinished, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                PartMap parts = PartMap.open(journal, file.etag(), Math.max(file.size(), 0), PART_BYTES, there)) {
            channel = opened;
            map = parts;
            taken = new boolean[parts.count()];
            whole = null;
            failure = null;
            validator = null;
            listener.transferred(file, parts.doneBytes());
            right = file.size() < 0 ? fetchUnsized() : fetchParts();
            if (right) {
                opened.force(true);
            } else {
                listener.transferred(file, -parts.doneBytes());
            }
        }
        if (right) {
            Files.move(unfinished, blob, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.deleteIfExists(unfinished);
        Files.deleteIfExists(journal);
        return right;
    }

    /** A file of unknown size: one stream to its end. */
    private boolean fetchUnsized() throws IOException, InterruptedException {
        for (int attempt = 0; ; attempt++) {
            channel.truncate(0);
            try (HubClient.Body body = client.open(retries.file(), 0, -1, null)) {
                Span span = new Span(0, Long.MAX_VALUE);
                copy(body.in(), span);
                if (body.total() >= 0 && span.at != body.total()) {
                    throw new EOFException("the connection ended early");
                }
                ContentHash hash = ContentHash.of(file, span.at);
                hash(hash, 0, span.at);
                return hash.matches();
            } catch (IOException e) {
                retries.await(e, attempt);
            }
        }
    }

    private boolean fetchParts() throws IOException, InterruptedException {
        int connections = Math.clamp(map.count() / 2, 1, client.settings().connections());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            threads.add(Thread.ofPlatform().daemon().name("xlstm-transfer-" + i).start(this::fetchRanges));
        }
        try {
            ContentHash hash = ContentHash.of(file, file.size());
            for (int part = 0; part < map.count(); part++) {
                awaitPart(part);
                hash(hash, map.begin(part), map.end(part));
            }
            channel.truncate(file.size()); // an earlier run may have left a longer one
            return hash.matches();
        } finally {
            synchronized (this) {
                failure = failure == null ? new CancellationException() : failure; // stops the threads
            }
            for (Thread thread : threads) {
                thread.interrupt();
                thread.join();
            }
        }
    }

    private synchronized void awaitPart(int part) throws IOException, InterruptedException {
        while (!map.isDone(part)) {
            if (failure instanceof IOException e) {
                throw e;
            }
            if (failure != null) {
                throw failure instanceof RuntimeException e ? e : new IllegalStateException(failure);
            }
            retries.checkCancelled();
            wait(200);
        }
    }

    /** A connection's work: takes the first missing parts, a few at a time, until there are none. */
    private void fetchRanges() {
        try {
            for (Span span = take(); span != null; span = take()) {
                fetch(span);
            }
        } catch (Throwable e) {
            synchronized (this) {
                failure = failure == null ? e : failure;
                notifyAll();
            }
        }
    }

    /** Bytes [at, limit) still to come; all before {@code at}, back to where it started, are on disk. */
    private static final class Span {
        private long at;
        private long limit;

        Span(long at, long limit) {
            this.at = at;
            this.limit = limit;
        }
    }

    /** Returns null if no part is left. */
    private synchronized Span take() {
        int first = 0;
        while (first < taken.length && (taken[first] || map.isDone(first))) {
            first++;
        }
        if (failure != null || whole != null || first == taken.length) {
            return null;
        }
        int end = first;
        while (end < Math.min(first + PARTS_PER_REQUEST, taken.length) && !taken[end] && !map.isDone(end)) {
            taken[end++] = true;
        }
        return new Span(map.begin(first), map.end(end - 1));
    }

    private void fetch(Span span) throws IOException, InterruptedException {
        for (int attempt = 0; span.at < span.limit; attempt++) {
            long before = span.at;
            long doneBefore = map.doneBytes();
            try (HubClient.Body body = open(span)) {
                if (!body.isRange() && !readAll(span)) {
                    return; // another connection reads the file from its start
                }
                copy(body.in(), span);
                if (span.at < span.limit) {
                    throw new EOFException("the connection ended early");
                }
            } catch (HubException.Changed e) {
                throw e;
            } catch (IOException e) {
                boolean progress = isWhole(span) ? map.doneBytes() > doneBefore : span.at - before >= PROGRESS_BYTES;
                attempt = progress ? 0 : attempt;
                retries.await(e, attempt);
            }
        }
    }

    /** Of a server that ignores ranges one connection reads the whole file; returns whether this is the one. */
    private synchronized boolean readAll(Span span) {
        if (whole != null && whole != span) {
            return false;
        }
        whole = span;
        span.at = 0;
        span.limit = file.size();
        return true;
    }

    private synchronized boolean isWhole(Span span) {
        return whole == span;
    }

    private HubClient.Body open(Span span) throws IOException, InterruptedException {
        String condition;
        synchronized (this) {
            condition = validator;
        }
        HubClient.Body body = client.open(retries.file(), span.at, span.limit, condition);
        try {
            if (body.total() >= 0 && body.total() != file.size()) {
                throw new HubException.Changed(file.path() + ": has " + body.total() + " bytes on the server, "
                        + file.size() + " were announced");
            }
            synchronized (this) {
                validator = validator == null ? body.validator() : validator;
                if (body.validator() != null && !validator.equals(body.validator())) {
                    throw new HubException.Changed(file.path() + ": the server's content changed during the transfer");
                }
            }
            return body;
        } catch (Throwable e) {
            body.close();
            throw e;
        }
    }

    /** Copies up to the span's limit or the stream's end. A connection that stalls is cut. */
    private void copy(InputStream in, Span span) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        try (StallGuard guard = new StallGuard(in, client.settings().stall(), listener)) {
            while (span.at < span.limit) {
                int count = in.read(buffer, 0, (int) Math.min(buffer.length, span.limit - span.at));
                retries.checkCancelled();
                if (count < 0) {
                    return;
                }
                guard.arrived();
                write(ByteBuffer.wrap(buffer, 0, count), span.at);
                completed(span.at, span.at + count);
                span.at += count;
            }
        }
    }

    private void write(ByteBuffer bytes, long position) throws HubException {
        try {
            for (long at = position; bytes.hasRemaining(); ) {
                at += channel.write(bytes, at);
            }
        } catch (IOException e) { // a full disk, a directory that is gone: not to be tried again
            throw new HubException(unfinished + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /** Marks the parts whose last byte is among [from, to). */
    private void completed(long from, long to) throws IOException {
        if (file.size() < 0) {
            return;
        }
        for (int part = (int) (from / PART_BYTES); part < map.count() && map.begin(part) < to; part++) {
            if (map.end(part) <= to && map.end(part) > from && map.complete(part)) {
                listener.transferred(file, map.end(part) - map.begin(part));
                synchronized (this) {
                    notifyAll();
                }
            }
        }
    }

    private void hash(ContentHash hash, long from, long to) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
        for (long at = from; at < to; ) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), to - at));
            int count = channel.read(buffer, at);
            if (count < 0) {
                throw new HubException(unfinished + ": was cut short while it was written");
            }
            hash.update(buffer.array(), count);
            at += count;
        }
    }
}
