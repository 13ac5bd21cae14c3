package dev.xlstm.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.security.SecureRandom;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A file that appears whole, by {@link #commit()}, or not at all. It is written to a temporary file in the same directory,
 * whose name begins with a dot and ends in {@code .tmp}. Errors name the target, not the temporary file.
 */
public final class WholeFile implements AutoCloseable {

    private static final Set<Path> UNFINISHED = ConcurrentHashMap.newKeySet();

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private boolean committed;
    private boolean kept; // what was not committed, by close()

    private WholeFile(Path target, Path temporary, FileChannel channel) {
        this.target = target;
        this.temporary = temporary;
        this.channel = channel;
        UNFINISHED.add(temporary);
    }

    /**
     * Starts a file.
     *
     * @param target replaced by {@link #commit()} if it exists
     * @param attributes for the new file, such as permissions
     */
    public static WholeFile create(Path target, FileAttribute<?>... attributes) throws IOException {
        String random = Long.toHexString(new SecureRandom().nextLong());
        Path temporary = target.resolveSibling("." + target.getFileName() + "." + random + ".tmp");
        try {
            FileChannel channel = FileChannel.open(
                    temporary, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes);
            return new WholeFile(target, temporary, channel);
        } catch (NoSuchFileException e) {
            throw new IOException(target + ": cannot be written: there is no such directory", e);
        } catch (AccessDeniedException e) {
            throw new IOException(target + ": cannot be written: no permission in its directory", e);
        } catch (FileSystemException e) { // such as a read-only file system; its message names the temporary file
            throw new IOException(target + ": cannot be written: " + e.getReason(), e);
        }
    }

    /**
     * Starts a file, or goes on with what an earlier run left of it. Closing keeps what was written for the next run.
     *
     * @param unfinished where the bytes are until {@link #commit()}; in the same directory
     */
    public static WholeFile resume(Path target, Path unfinished) throws IOException {
        FileChannel channel = FileChannel.open(unfinished, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        WholeFile file = new WholeFile(target, unfinished, channel);
        UNFINISHED.remove(unfinished);
        file.kept = true;
        return file;
    }

    /** Deletes every unfinished file. Call it when the process ends. */
    public static void deleteUnfinished() {
        for (Path file : UNFINISHED) {
            file.toFile().delete();
        }
    }

    /** Writes all of a file. */
    public static void write(Path target, byte[] content, FileAttribute<?>... attributes) throws IOException {
        try (WholeFile file = create(target, attributes)) {
            file.write(ByteBuffer.wrap(content), 0);
            file.commit();
        }
    }

    /** Writes the rest of a buffer at a position in the file. */
    public void write(ByteBuffer bytes, long position) throws IOException {
        long at = position;
        while (bytes.hasRemaining()) {
            try {
                at += channel.write(bytes, at);
            } catch (IOException e) { // such as a full disk; its message names no file
                throw new IOException(target + ": cannot be written: " + e.getMessage(), e);
            }
        }
    }

    /** Flushes the file to disk and makes it appear under its name. */
    public void commit() throws IOException {
        try {
            channel.force(true);
            channel.close();
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (FileSystemException e) { // such as a directory of that name; its message names the temporary file
            throw new IOException(target + ": cannot be written: " + e.getReason(), e);
        } catch (IOException e) {
            throw new IOException(target + ": cannot be written: " + e.getMessage(), e);
        }
        committed = true;
        UNFINISHED.remove(temporary);
        try (FileChannel entry = FileChannel.open(target.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            entry.force(true); // the rename itself
        } catch (AccessDeniedException e) {
            // Windows cannot open directories, and need not sync them
        }
    }

    /** Ends writing; deletes the file unless it was committed. */
    @Override
    public void close() throws IOException {
        channel.close();
        if (!committed && !kept) {
            Files.deleteIfExists(temporary);
            UNFINISHED.remove(temporary);
        }
    }
}
