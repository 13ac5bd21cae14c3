package dev.xlstm.cli.chat;

import dev.xlstm.chat.ConversationFile;
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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Saved conversations and the history of what was typed, for the user's eyes only: {@code $XDG_STATE_HOME/xlstm}. */
final class SessionStore {

    private static final DateTimeFormatter ID = DateTimeFormatter.ofPattern("uuuuMMdd-HHmmss");
    private static final String LOCK = "lock";

    private final Path root;

    SessionStore(Path root) {
        this.root = root;
    }

    static SessionStore ofUser(Map<String, String> environment) {
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        Path base =
                state.startsWith("/") ? Path.of(state) : Path.of(System.getProperty("user.home"), ".local", "state");
        return new SessionStore(base.resolve("xlstm"));
    }

    private Path sessions() {
        return root.resolve("sessions");
    }

    /** Where the lines typed are kept; exists and is the user's alone. */
    Path history() throws IOException {
        makeDirectory(root);
        Path file = root.resolve("history");
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        protect(file, "rw-------");
        return file;
    }

    static void protect(Path path, String permissions) throws IOException {
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

    /** A new, empty session's directory. */
    Path create() throws IOException {
        makeDirectory(root);
        makeDirectory(sessions());
        sweep();
        String id = LocalDateTime.now().format(ID);
        for (int n = 0; ; n++) {
            Path directory = sessions().resolve(n == 0 ? id : id + "-" + n);
            try {
                Files.createDirectory(directory);
            } catch (FileAlreadyExistsException e) {
                continue; // of another chat, perhaps begun at the same moment
            }
            protect(directory, "rwx------");
            return directory;
        }
    }

    /** Deletes what chats have left that were killed before anything was said. */
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
     * Marks a session as in use until the channel is closed or the process ends, however it ends.
     *
     * @throws IOException if it is in use
     */
    static FileChannel lock(Path session) throws IOException {
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

    /** All sessions that hold a conversation, the one used last first. */
    List<Path> list() throws IOException {
        return list(sessions());
    }

    private static List<Path> list(Path sessions) throws IOException {
        return uses(sessions).keySet().stream().toList();
    }

    /** The sessions that hold a conversation, and when each was last used, the one used last first. */
    private static Map<Path, Long> uses(Path sessions) throws IOException {
        Map<Path, Long> uses = new LinkedHashMap<>();
        if (Files.isDirectory(sessions)) {
            try (Stream<Path> found = Files.list(sessions)) {
                found.filter(ConversationFile::isIn)
                        .map(session ->
                                Map.entry(session, lastUse(session))) // asked for once: other chats write meanwhile
                        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                        .forEachOrdered(use -> uses.put(use.getKey(), use.getValue()));
            }
        }
        return uses;
    }

    /**
     * Lets no other session seem to have been used after this one. Those do that were used while the clock was ahead, and
     * would be taken for the last until it gets there.
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

    static long lastUse(Path session) {
        try {
            return Files.getLastModifiedTime(ConversationFile.of(session)).toMillis();
        } catch (IOException e) {
            return 0;
        }
    }

    /**
     * The session of an id or the beginning of one.
     *
     * @param id null or empty for the one used last
     */
    Path find(String id) throws IOException {
        List<Path> all = list();
        if (id == null || id.isEmpty()) {
            if (all.isEmpty()) {
                throw new IOException("no saved session to continue");
            }
            return all.get(0);
        }
        List<Path> matches = new ArrayList<>();
        for (Path session : all) {
            String name = session.getFileName().toString();
            if (name.equals(id)) {
                return session;
            }
            if (name.startsWith(id)) {
                matches.add(session);
            }
        }
        if (matches.size() != 1) {
            throw new IOException((matches.isEmpty() ? "no session '" : "several sessions begin with '") + id
                    + "'; xlstm sessions list shows them");
        }
        return matches.get(0);
    }

    /**
     * Deletes a session that is locked. The conversation first: who is killed on the way leaves nothing that is listed, and
     * the next chat sweeps it. The lock last: nobody begins anything there meanwhile.
     */
    static void delete(Path session) throws IOException {
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
            // the lock of someone who came too late, and will find nothing; swept later
        }
    }

    static long bytes(Path session) throws IOException {
        long bytes = 0;
        try (Stream<Path> files = Files.list(session)) {
            for (Path file : files.toList()) {
                try {
                    bytes += Files.size(file);
                } catch (NoSuchFileException e) {
                    // of a chat that goes on: it has just put another in its place
                }
            }
        }
        return bytes;
    }
}
