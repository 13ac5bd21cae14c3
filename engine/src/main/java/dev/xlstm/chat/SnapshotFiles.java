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

    private static final Pattern NAME = Pattern.compile("turn-(\\d{1,9})\\.safetensors");
    private static final Pattern UNFINISHED = Pattern.compile("\\.turn-\\d+\\.safetensors\\..*\\.tmp");

    private final TextModel model;
    private final Path directory; // null: nothing is kept
    private final long budget;
    private final ConcurrentSkipListMap<Integer, Long> bytes = new ConcurrentSkipListMap<>(); // of each file
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
                    bytes.put(Integer.valueOf(snapshot.group(1)), Files.size(file));
                } else if (UNFINISHED.matcher(name).matches()) {
                    Files.delete(file); // of a process that was killed
                }
            }
        }
    }

    private Path file(int id) {
        return directory.resolve("turn-" + id + ".safetensors");
    }

    /** Has the memory after a turn written, if it is not there. It must not change until what is asked for {@link #afterwards}. */
    void write(Turn turn, TextSession session) {
        if (directory != null) {
            enqueue(() -> writeNow(turn, session));
        }
    }

    private void writeNow(Turn turn, TextSession session) {
        if (bytes.containsKey(turn.id())) {
            return;
        }
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] mine = posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
        try {
            session.save(file(turn.id()), DType.F32, mine);
            bytes.put(turn.id(), Files.size(file(turn.id())));
            keepWithinBudget(turn);
        } catch (IOException e) {
            failure = e;
        } catch (RuntimeException e) {
            failure = new IOException(e);
        }
    }

    private void keepWithinBudget(Turn written) throws IOException {
        Turn first = written.path().get(0);
        long sum = bytes.values().stream().mapToLong(Long::longValue).sum();
        Iterator<Map.Entry<Integer, Long>> oldest = bytes.entrySet().iterator();
        while (sum > budget && oldest.hasNext()) {
            Map.Entry<Integer, Long> entry = oldest.next();
            // a state that the conversation began after cannot be made again
            boolean needed = first.kind() == Turn.Kind.STATE && first.id() == entry.getKey();
            if (entry.getKey() != written.id() && !needed) {
                Files.deleteIfExists(file(entry.getKey()));
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

    /** The memory after a turn; null if there is no file, or it is damaged. */
    TextSession read(Turn turn) {
        if (!bytes.containsKey(turn.id())) {
            await(); // it may be on its way
        }
        if (!bytes.containsKey(turn.id())) {
            return null;
        }
        try {
            TextSession session = model.resume(file(turn.id()));
            if (session.position() == turn.position()) {
                return session;
            }
            session.close();
        } catch (IOException e) {
            // the ids say the same, in more time
        }
        bytes.remove(turn.id());
        return null;
    }

    /** Deletes all files but those of these turns. */
    void retain(Set<Turn> turns) {
        if (directory == null) {
            return;
        }
        Set<Integer> ids = turns.stream().map(Turn::id).collect(Collectors.toSet());
        enqueue(() -> {
            try {
                for (int id : bytes.keySet()) {
                    if (!ids.contains(id)) {
                        Files.deleteIfExists(file(id));
                        bytes.remove(id);
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
