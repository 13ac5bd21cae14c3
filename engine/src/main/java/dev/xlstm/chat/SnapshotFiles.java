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
 * The files of snapshots in a conversation's directory. A thread of its own writes and deletes them in the order asked for,
 * so nobody waits for the disk. Files beyond the budget are deleted, those of the oldest turns first.
 */
final class SnapshotFiles implements AutoCloseable {

    private static final Pattern NAME = Pattern.compile("(asked|turn)-(\\d{1,9})\\.safetensors");
    private static final Pattern UNFINISHED =
            Pattern.compile("\\.((asked|turn)-\\d+\\.safetensors|conversation\\.json)\\..*tmp");

    private static final Comparator<String> OLDEST_FIRST =
            Comparator.comparingInt(SnapshotFiles::turnId).thenComparing(Comparator.naturalOrder());

    private final TextModel model;
    private final Path directory; // null: nothing is kept
    private final long budget;
    private final ConcurrentSkipListMap<String, Long> bytes = new ConcurrentSkipListMap<>(OLDEST_FIRST); // of each file
    private final ExecutorService writer = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "xlstm-snapshots");
        thread.setDaemon(true); // a file is whole or not there
        return thread;
    });
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile IOException failure;

    /**
     * @param directory must exist and be this conversation's alone; null for one that keeps nothing
     * @param budget bytes of all files; the file written last stays in any case
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

    private static String name(Place place) {
        return (place.asked() ? "asked-" : "turn-") + place.turn().id() + ".safetensors";
    }

    private static int turnId(String name) {
        Matcher parts = NAME.matcher(name);
        return parts.matches() ? Integer.parseInt(parts.group(2)) : -1;
    }

    /** Has the memory at a place written, if it is not there. It must not change until what is asked for {@link #afterwards}. */
    void write(Place place, TextSession session) {
        if (directory != null) {
            enqueue(() -> writeNow(place, session));
        }
    }

    private void writeNow(Place place, TextSession session) {
        String name = name(place);
        if (bytes.containsKey(name)) {
            return;
        }
        try {
            session.save(directory.resolve(name), DType.F32, mine());
            bytes.put(name, Files.size(directory.resolve(name)));
            keepWithinBudget(place);
        } catch (IOException e) {
            failure = e;
        } catch (RuntimeException e) {
            failure = new IOException(e);
        }
    }

    /** For files that are the user's alone. */
    static FileAttribute<?>[] mine() {
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        return posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    private void keepWithinBudget(Place written) throws IOException {
        Turn first = written.turn().path().get(0);
        String state = name(Place.after(first)); // if the first is one, it cannot be made again
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

    /** Does something after all that has been asked for before. */
    void afterwards(Runnable task) {
        enqueue(task);
    }

    private void enqueue(Runnable task) {
        waiting.incrementAndGet();
        writer.execute(() -> {
            try {
                task.run();
            } finally {
                waiting.decrementAndGet();
            }
        });
    }

    /** Tasks asked for and not yet done. */
    int waiting() {
        return waiting.get();
    }

    /** Waits until all is done that has been asked for. */
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

    /** The memory at a place; null if there is no file, or it is damaged. */
    TextSession read(Place place) {
        String name = name(place);
        if (!bytes.containsKey(name)) {
            await(); // it may be on its way
        }
        if (!bytes.containsKey(name)) {
            return null;
        }
        try {
            TextSession session = model.resume(directory.resolve(name));
            if (session.position() == place.position()) {
                return session;
            }
            session.close();
        } catch (IOException e) {
            // the ids say the same, in more time
        }
        bytes.remove(name);
        return null;
    }

    /** Deletes all files but those of places that are wanted. */
    void retain(Set<Place> wanted) {
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

    /** What went wrong since this was last asked; null if nothing did. */
    IOException takeFailure() {
        IOException taken = failure;
        failure = null;
        return taken;
    }

    /** Ends when all has been done. */
    @Override
    public void close() {
        writer.close();
    }
}
