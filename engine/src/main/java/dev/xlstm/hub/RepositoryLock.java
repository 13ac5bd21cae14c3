package dev.xlstm.hub;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/**
 * Keeps two transfers of one repository apart, between processes and, on a network file system, between hosts: a file that
 * only one can create. Advisory locks are not used, as some network file systems grant them to everybody. The holder
 * renews the file's time; one that belongs to a dead process of this host, or is not renewed, is taken over.
 */
final class RepositoryLock implements AutoCloseable {

    private static final long RENEW_MILLIS = 5_000;
    private static final long STALE_MILLIS = 45_000; // without renewal, by the watcher's own clock

    private final Path file;
    private final String content;
    private final Thread renewer;

    private RepositoryLock(Path file, String content) {
        this.file = file;
        this.content = content;
        renewer = Thread.ofPlatform().daemon().name("xlstm-lock").start(this::renew);
    }

    /**
     * Waits for the lock.
     *
     * @param waiting run once, if another holds it
     * @throws CancellationException if {@code cancelled} says so meanwhile
     */
    static RepositoryLock acquire(Path file, Runnable waiting, BooleanSupplier cancelled)
            throws IOException, InterruptedException {
        String content = host() + " " + ProcessHandle.current().pid() + " " + started(ProcessHandle.current()) + " "
                + UUID.randomUUID();
        Files.createDirectories(file.getParent());
        FileTime seen = null;
        long seenAt = 0;
        for (boolean first = true; ; first = false) {
            try {
                Files.writeString(file, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
                return new RepositoryLock(file, content);
            } catch (FileAlreadyExistsException e) {
                // another holds it, or held it
            }
            try {
                String holder = Files.readString(file, StandardCharsets.UTF_8);
                FileTime time = Files.getLastModifiedTime(file);
                long now = System.nanoTime();
                if (!time.equals(seen)) {
                    seen = time;
                    seenAt = now;
                }
                boolean stale = now - seenAt > STALE_MILLIS * 1_000_000;
                if (stale || isDead(holder)) {
                    takeAway(file, holder);
                    continue;
                }
            } catch (NoSuchFileException e) {
                continue; // released just now
            }
            if (first) {
                waiting.run();
            }
            if (cancelled.getAsBoolean()) {
                throw new CancellationException();
            }
            Thread.sleep(200);
        }
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName().replaceAll("\\s", "_");
        } catch (IOException e) {
            return "localhost";
        }
    }

    private static long started(ProcessHandle process) {
        return process.info()
                .startInstant()
                .map(java.time.Instant::toEpochMilli)
                .orElse(0L);
    }

    /** Whether the holder was a process of this host that is gone; the start time tells it from a later one of its number. */
    private static boolean isDead(String holder) {
        String[] fields = holder.split(" ");
        if (fields.length != 4 || !fields[0].equals(host()) || !fields[1].matches("\\d{1,18}")) {
            return false;
        }
        return ProcessHandle.of(Long.parseLong(fields[1]))
                .map(process -> !process.isAlive() || !fields[2].equals(Long.toString(started(process))))
                .orElse(true);
    }

    /** Moves the file aside first: of several that find it stale, one gets it, and nobody takes a fresh one away. */
    private static void takeAway(Path file, String holder) throws IOException {
        Path aside = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID());
        try {
            Files.move(file, aside, StandardCopyOption.ATOMIC_MOVE);
        } catch (NoSuchFileException e) {
            return;
        }
        if (Files.readString(aside, StandardCharsets.UTF_8).equals(holder)) {
            Files.delete(aside);
        } else {
            Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    private void renew() {
        try {
            while (true) {
                Thread.sleep(RENEW_MILLIS);
                Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
            }
        } catch (InterruptedException | IOException e) {
            // closed, or taken away
        }
    }

    @Override
    public void close() throws IOException {
        renewer.interrupt();
        try {
            if (Files.readString(file, StandardCharsets.UTF_8).equals(content)) {
                Files.delete(file);
            }
        } catch (NoSuchFileException e) {
            // taken away
        }
    }
}
