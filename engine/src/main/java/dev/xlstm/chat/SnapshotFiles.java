package dev.xlstm.chat;

import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.safetensors.DType;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The snapshot files in a conversation's directory. A background thread writes and deletes them in order, so that no caller
 * waits for the disk. Files beyond the budget are deleted, those of the oldest turns first.
 */
final class SnapshotFiles implements AutoCloseable {

    private static final Pattern NAME = Pattern.compile("(asked|turn)-(\\d{1,9})\\.safetensors");
    private static final Pattern UNFINISHED =
            Pattern.compile("\\.((asked|turn)-\\d+\\.safetensors|conversation\\.json)\\..*tmp");

    private static final Comparator<String> OLDEST_FIRST =
            Comparator.comparingInt(SnapshotFiles::turnId).thenComparing(Comparator.naturalOrder());

    private final TextModel model;
    private final Path directory; // null to keep nothing
    private final long budget;
    private final ConcurrentSkipListMap<String, Long> bytes = new ConcurrentSkipListMap<>(OLDEST_FIRST); // of each file
    private final ExecutorService writer = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "xlstm-snapshots");
        thread.setDaemon(true); // a file appears whole or not at all
        return thread;
    });
    private final AtomicInteger queued = new AtomicInteger();
    private volatile IOException failure;

    /**
     * @param directory must exist and belong to this conversation alone; null to keep nothing
     * @param budget bytes of all files; the last one written stays in any case
     */
    SnapshotFiles(TextModel model, Path directory, long budget) throws IOException {
        this.model = model;
        this.directory = directory;
        this.budget = budget;
        if (directory == null) {
            return;
        }
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                Matcher snapshot = NAME.matcher(name);
                if (snapshot.matches()) {
                    bytes.put(name, Files.size(file));
                } else if (UNFINISHED.matcher(name).matches()) {
                    Files.delete(file); // of a process that was killed
                }
            }
        }
    }

    private static String name(SnapshotKey key) {
        return key.name() + ".safetensors";
    }

    private static int turnId(String name) {
        Matcher parts = NAME.matcher(name);
        return parts.matches() ? Integer.parseInt(parts.group(2)) : -1;
    }

    /**
     * Queues a snapshot for writing, unless its file exists. Do not change the session until a task passed to
     * {@link #afterwards} runs.
     */
    void write(SnapshotKey key, TextSession session) {
        if (directory != null) {
            enqueue(() -> writeNow(key, session));
        }
    }

    private void writeNow(SnapshotKey key, TextSession session) {
        String name = name(key);
        if (bytes.containsKey(name)) {
            return;
        }
        try {
            session.save(directory.resolve(name), DType.F32, ownerOnly());
            bytes.put(name, Files.size(directory.resolve(name)));
            keepWithinBudget(key);
        } catch (IOException e) {
            failure = e;
        } catch (RuntimeException e) {
            failure = new IOException(e);
        }
    }

    /** Attributes of a file that only the user may read. */
    static FileAttribute<?>[] ownerOnly() {
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        return posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    private void keepWithinBudget(SnapshotKey written) throws IOException {
        Turn first = written.turn().path().get(0);
        String state = name(SnapshotKey.after(first)); // a state file cannot be computed again
        long sum = bytes.values().stream().mapToLong(Long::longValue).sum();
        Iterator<Map.Entry<String, Long>> oldest = bytes.entrySet().iterator();
        while (sum > budget && oldest.hasNext()) {
            Map.Entry<String, Long> entry = oldest.next();
            if (!entry.getKey().equals(name(written)) && !entry.getKey().equals(state)) {
                Files.deleteIfExists(directory.resolve(entry.getKey()));
                sum -= entry.getValue();
                oldest.remove();
            }
        }
    }

    /** Queues a task. */
    void afterwards(Runnable task) {
        enqueue(task);
    }

    private void enqueue(Runnable task) {
        queued.incrementAndGet();
        writer.execute(() -> {
            try {
                task.run();
            } finally {
                queued.decrementAndGet();
            }
        });
    }

    /** Tasks that have not finished. */
    int queued() {
        return queued.get();
    }

    /** Waits until all queued tasks have finished. */
    void await() {
        FutureTask<Void> last = new FutureTask<>(() -> {}, null);
        writer.execute(last);
        try {
            last.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Reads a snapshot; null if there is no file, or it is damaged. */
    TextSession read(SnapshotKey key) {
        String name = name(key);
        if (!bytes.containsKey(name)) {
            await(); // it may be queued
        }
        if (!bytes.containsKey(name)) {
            return null;
        }
        try {
            TextSession session = model.resume(directory.resolve(name));
            if (session.position() == key.position()) {
                return session;
            }
            session.close();
        } catch (IOException e) {
            // the caller computes the state from the ids
        }
        bytes.remove(name);
        return null;
    }

    /** Queues the deletion of all files but those of these keys. */
    void retain(Set<SnapshotKey> wanted) {
        if (directory == null) {
            return;
        }
        Set<String> names = wanted.stream().map(SnapshotFiles::name).collect(Collectors.toSet());
        enqueue(() -> {
            try {
                for (String name : bytes.keySet()) {
                    if (!names.contains(name)) {
                        Files.deleteIfExists(directory.resolve(name));
                        bytes.remove(name);
                    }
                }
            } catch (IOException e) {
                failure = e;
            }
        });
    }

    /** Files written so far. */
    int count() {
        return bytes.size();
    }

    /** The last failure since this was last called; null if there was none. */
    IOException takeFailure() {
        IOException taken = failure;
        failure = null;
        return taken;
    }

    /** Returns when all queued tasks have finished. */
    @Override
    public void close() {
        writer.close();
    }
}
