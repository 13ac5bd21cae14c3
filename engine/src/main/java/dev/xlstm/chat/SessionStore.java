package dev.xlstm.chat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The user's saved conversations and input history, readable by the user alone: {@code $XDG_STATE_HOME/xlstm}. */
public final class SessionStore {

    private static final DateTimeFormatter ID = DateTimeFormatter.ofPattern("uuuuMMdd-HHmmss");
    private static final String LOCK = "lock";

    private final Path root;

    SessionStore(Path root) {
        this.root = root;
    }

    public static SessionStore ofUser(Map<String, String> environment) {
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        Path base =
                state.startsWith("/") ? Path.of(state) : Path.of(System.getProperty("user.home"), ".local", "state");
        return new SessionStore(base.resolve("xlstm"));
    }

    private Path sessions() {
        return root.resolve("sessions");
    }

    /** The file of the input history; it exists and only the user may read it. */
    public Path history() throws IOException {
        makeDirectory(root);
        Path file = root.resolve("history");
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        protect(file, "rw-------");
        return file;
    }

    /** @param permissions as {@code rw-------}; ignored where the file system has none */
    public static void protect(Path path, String permissions) throws IOException {
        if (Files.getFileStore(path).supportsFileAttributeView("posix")) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        }
    }

    private static void makeDirectory(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory);
            protect(directory, "rwx------");
        }
    }

    /** Creates the directory of a new session. */
    public Path create() throws IOException {
        makeDirectory(root);
        makeDirectory(sessions());
        sweep();
        String id = LocalDateTime.now().format(ID);
        for (int n = 0; ; n++) {
            Path directory = sessions().resolve(n == 0 ? id : id + "-" + n);
            try {
                Files.createDirectory(directory);
            } catch (FileAlreadyExistsException e) {
                continue; // of a chat that began in the same second
            }
            protect(directory, "rwx------");
            return directory;
        }
    }

    /** Deletes the directories of chats that were killed before anything was saved. */
    private void sweep() throws IOException {
        Instant yesterday = Instant.now().minus(Duration.ofDays(1));
        try (Stream<Path> found = Files.list(sessions())) {
            for (Path session :
                    found.filter(path -> !ConversationFile.isIn(path)).toList()) {
                if (Files.getLastModifiedTime(session).toInstant().isBefore(yesterday) && !isInUse(session)) {
                    delete(session);
                }
            }
        }
    }

    /**
     * Locks a session until the channel is closed or the process ends.
     *
     * @throws IOException if it is in use
     */
    public static FileChannel lock(Path session) throws IOException {
        FileChannel channel;
        try {
            channel = FileChannel.open(session.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (NoSuchFileException e) {
            throw new IOException("session " + session.getFileName() + " is gone: it has just been deleted", e);
        }
        try {
            protect(session.resolve(LOCK), "rw-------");
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // by this process
        }
        channel.close();
        throw new IOException("session " + session.getFileName() + " is in use by another chat");
    }

    private static boolean isInUse(Path session) {
        try {
            lock(session).close();
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    /** All sessions that hold a conversation, most recently used first. */
    public List<Path> list() throws IOException {
        return list(sessions());
    }

    private static List<Path> list(Path sessions) throws IOException {
        return uses(sessions).keySet().stream().toList();
    }

    /** The sessions that hold a conversation and the time each was last used, most recent first. */
    private static Map<Path, Long> uses(Path sessions) throws IOException {
        Map<Path, Long> uses = new LinkedHashMap<>();
        if (Files.isDirectory(sessions)) {
            try (Stream<Path> found = Files.list(sessions)) {
                found.filter(ConversationFile::isIn)
                        .map(session -> Map.entry(session, lastUse(session))) // once: other chats write meanwhile
                        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                        .forEachOrdered(use -> uses.put(use.getKey(), use.getValue()));
            }
        }
        return uses;
    }

    /**
     * Makes a session the one used last: sessions that were saved while the clock was ahead get an earlier time.
     */
    static void markUsedLast(Path session) throws IOException {
        long before = lastUse(session);
        for (Map.Entry<Path, Long> other : uses(session.getParent()).entrySet()) {
            if (!other.getKey().equals(session) && other.getValue() >= before) {
                before--;
                try {
                    Files.setLastModifiedTime(ConversationFile.of(other.getKey()), FileTime.fromMillis(before));
                } catch (NoSuchFileException e) {
                    // deleted meanwhile
                }
            }
        }
    }

    public static long lastUse(Path session) {
        try {
            return Files.getLastModifiedTime(ConversationFile.of(session)).toMillis();
        } catch (IOException e) {
            return 0;
        }
    }

    /**
     * Finds a session.
     *
     * @param id its id, the beginning of one, or the name of a session; null or empty for the one used last
     */
    public Path find(String id) throws IOException {
        List<Path> all = list();
        if (id == null || id.isEmpty()) {
            if (all.isEmpty()) {
                throw new IOException("no saved session to continue");
            }
            return all.get(0);
        }
        List<Path> matches =
                all.stream().filter(session -> id(session).equals(id)).toList();
        if (matches.isEmpty()) {
            matches = all.stream().filter(session -> id(session).startsWith(id)).toList();
        }
        if (matches.isEmpty()) {
            matches = all.stream().filter(session -> id.equals(nameOf(session))).toList();
        }
        if (matches.size() != 1) {
            throw new IOException((matches.isEmpty() ? "no session '" : "several sessions match '") + id
                    + "'; xlstm sessions list shows them");
        }
        return matches.get(0);
    }

    private static String id(Path session) {
        return session.getFileName().toString();
    }

    /** The name that the user has given a session; null if there is none, or the session is damaged. */
    private static String nameOf(Path session) {
        try {
            return ConversationFile.open(session).name();
        } catch (IOException e) {
            return null;
        }
    }

    /**
     * Deletes a session that the caller has locked. The conversation goes first: a process killed on the way leaves no
     * session that is listed, and the next chat deletes the rest. The lock goes last, so that no other process opens the
     * session meanwhile.
     */
    public static void delete(Path session) throws IOException {
        ConversationFile.delete(session);
        try (Stream<Path> files = Files.list(session)) {
            for (Path file : files.filter(file -> !file.endsWith(LOCK)).toList()) {
                Files.delete(file);
            }
        }
        Files.deleteIfExists(session.resolve(LOCK));
        try {
            Files.delete(session);
        } catch (DirectoryNotEmptyException e) {
            // a process that waited for the lock has made its file again; a later sweep deletes it
        }
    }

    public static long bytes(Path session) throws IOException {
        long bytes = 0;
        try (Stream<Path> files = Files.list(session)) {
            for (Path file : files.toList()) {
                try {
                    bytes += Files.size(file);
                } catch (NoSuchFileException e) {
                    // a running chat has just replaced it
                }
            }
        }
        return bytes;
    }
}
