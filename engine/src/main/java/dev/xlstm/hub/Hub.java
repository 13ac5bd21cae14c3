package dev.xlstm.hub;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.CancellationException;

/**
 * Brings files of the Hugging Face hub into its cache, where huggingface_hub and everything built on it finds them. The only
 * way from this program to the network.
 */
public final class Hub implements AutoCloseable {

    private static final int MAX_HEADER_BYTES = 100 << 20; // of a safetensors file, as its specification has it
    private static final int MAX_ROUNDS = 3; // of a file that changes while it is fetched
    private static final int FIRST_HEADER_BYTES = 256 << 10;

    private final HubClient client;
    private final HubSettings settings;

    /** @throws HubException if the settings say that the network must not be used */
    public Hub(HubSettings settings) throws HubException {
        if (settings.offline()) {
            throw new HubException("HF_HUB_OFFLINE is set: nothing is fetched; unset it to use the network");
        }
        this.settings = settings;
        client = new HubClient(settings);
    }

    public Hub(Map<String, String> environment) throws IOException {
        this(HubSettings.of(environment));
    }

    /**
     * The files of a revision.
     *
     * @param revision branch, tag or commit
     */
    public RepositoryListing list(String id, String revision, TransferListener listener)
            throws IOException, InterruptedException {
        RemoteFile named = new RemoteFile(id, "", -1, null, settings.endpoint());
        return retrying(id, named, listener, () -> client.list(id, revision));
    }

    /** What the hub says of a file. */
    public RemoteFile describe(RepositoryListing repository, String path, TransferListener listener)
            throws IOException, InterruptedException {
        RemoteFile named = new RemoteFile(path, "", -1, repository.commit(), settings.endpoint());
        return retrying(repository.id(), named, listener, () -> {
            RemoteFile file = client.describe(repository.id(), repository.commit(), path);
            return new RemoteFile(path, file.etag(), file.size(), repository.commit(), file.location());
        });
    }

    private interface Request<T> {
        T send() throws IOException, InterruptedException;
    }

    private <T> T retrying(String id, RemoteFile named, TransferListener listener, Request<T> request)
            throws IOException, InterruptedException {
        for (int attempt = 0; ; attempt++) {
            try {
                return request.send();
            } catch (IOException e) {
                Retries.pause(e, attempt, named, settings, listener);
            }
        }
    }

    /** Keeps other transfers of a repository out until the lock is closed. */
    public AutoCloseable lock(String id, Runnable waiting, TransferListener listener)
            throws IOException, InterruptedException {
        Path locks = settings.cache().resolve(".locks").resolve(HubCache.directoryName(id));
        return RepositoryLock.acquire(locks.resolve("xlstm.lock"), waiting, listener::cancelled);
    }

    /** The directory that {@link #fetch} fills. */
    public Path snapshot(RepositoryListing repository) throws IOException {
        CachedRepository cached = new CachedRepository(settings.cache(), repository.id());
        cached.createDirectories(repository.commit());
        return cached.snapshot(repository.commit());
    }

    /** Whether a file is in the cache already, as the snapshot's or another's. */
    public boolean has(RepositoryListing repository, RemoteFile file) throws IOException {
        CachedRepository cached = new CachedRepository(settings.cache(), repository.id());
        return cached.has(file, repository.commit()) || hasBlob(cached, file);
    }

    private static boolean hasBlob(CachedRepository cached, RemoteFile file) throws IOException {
        Path blob = cached.blob(file.etag());
        return Files.isRegularFile(blob) && (file.size() < 0 || Files.size(blob) == file.size());
    }

    /** Bytes of a file that an interrupted transfer left in the cache. */
    public long bytesPresent(RepositoryListing repository, RemoteFile file) throws IOException {
        return BlobDownload.bytesPresent(
                file, new CachedRepository(settings.cache(), repository.id()).blob(file.etag()));
    }

    /**
     * Fetches a file, verifies it and links it into the snapshot. A file that is there is left alone.
     *
     * @throws CancellationException if the listener says so; what has arrived stays for the next time
     */
    public void fetch(RepositoryListing repository, RemoteFile file, TransferListener listener)
            throws IOException, InterruptedException {
        CachedRepository cached = new CachedRepository(settings.cache(), repository.id());
        cached.createDirectories(repository.commit());
        if (cached.has(file, repository.commit())) {
            return;
        }
        RemoteFile current = file;
        for (int round = 1; !hasBlob(cached, current); round++) {
            try {
                new BlobDownload(client, repository.id(), current, cached.blob(current.etag()), listener).run();
            } catch (HubException.Changed e) {
                if (round == MAX_ROUNDS) {
                    throw e;
                }
                current = describe(repository, file.path(), listener);
            }
        }
        cached.link(current, repository.commit());
    }

    /**
     * Puts the header of a safetensors file at the beginning of a sparse file of its full size, from which names, types and
     * shapes of its tensors can be checked before the rest is fetched.
     *
     * @param target replaced if it exists
     */
    public void fetchHeader(RepositoryListing repository, RemoteFile file, Path target, TransferListener listener)
            throws IOException, InterruptedException {
        byte[] head = read(repository, file, 0, Math.min(file.size(), FIRST_HEADER_BYTES), listener);
        long length = head.length < 8
                ? 0
                : ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 2 || length > MAX_HEADER_BYTES || 8 + length > file.size()) {
            throw new HubException(file.path() + ": is no safetensors file");
        }
        Files.deleteIfExists(target);
        try (FileChannel channel = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(head), 0);
            if (8 + length > head.length) {
                channel.write(ByteBuffer.wrap(read(repository, file, head.length, 8 + length, listener)), head.length);
            }
            if (file.size() > channel.size()) {
                channel.write(ByteBuffer.allocate(1), file.size() - 1); // the rest is a hole
            }
        }
    }

    /** Bytes [from, to) of a file. */
    private byte[] read(RepositoryListing repository, RemoteFile file, long from, long to, TransferListener listener)
            throws IOException, InterruptedException {
        return retrying(repository.id(), file, listener, () -> {
            try (HubClient.Body body = client.open(file, from, to, null);
                    StallGuard guard = new StallGuard(body.in(), settings.stall(), listener)) {
                if (!body.isRange()) {
                    body.in().skipNBytes(from);
                }
                guard.arrived();
                byte[] bytes = body.in().readNBytes(Math.toIntExact(to - from));
                if (bytes.length < to - from) {
                    throw new EOFException("the connection ended early");
                }
                return bytes;
            }
        });
    }

    /**
     * Reads a file without keeping it.
     *
     * @param state what {@link RemoteStream#save} gave in an earlier run; null to begin at the first byte
     */
    public RemoteStream stream(RepositoryListing repository, RemoteFile file, String state, TransferListener listener) {
        return new RemoteStream(client, repository.id(), file, state, listener);
    }

    /** Has a branch or tag name the commit, once all of its files are there. */
    public void setRef(RepositoryListing repository, String revision) throws IOException {
        new CachedRepository(settings.cache(), repository.id()).setRef(revision, repository.commit());
    }

    /** Bytes that can still be written where the cache is. */
    public long freeBytes() throws IOException {
        Files.createDirectories(settings.cache());
        return Files.getFileStore(settings.cache()).getUsableSpace();
    }

    @Override
    public void close() {
        client.close();
    }
}
