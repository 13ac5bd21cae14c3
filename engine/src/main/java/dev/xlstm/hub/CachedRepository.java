package dev.xlstm.hub;

import dev.xlstm.safetensors.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;

/**
 * A model's directory in the hub's cache, laid out as huggingface_hub does: {@code blobs/ETAG} hold the content,
 * {@code snapshots/COMMIT/PATH} are relative links to them, {@code refs/REVISION} name a commit.
 */
final class CachedRepository {

    private final Path directory;

    CachedRepository(Path cache, String id) {
        directory = cache.resolve(HubCache.directoryName(id));
    }

    Path directory() {
        return directory;
    }

    Path blob(String etag) {
        return directory.resolve("blobs").resolve(etag);
    }

    Path snapshot(String commit) {
        return directory.resolve("snapshots").resolve(commit);
    }

    void createDirectories(String commit) throws IOException {
        try {
            Files.createDirectories(directory.resolve("blobs"));
            Files.createDirectories(snapshot(commit));
        } catch (FileSystemException e) {
            throw new HubException(
                    directory + ": cannot be written: " + (e.getReason() == null ? "no permission" : e.getReason())
                            + "; HF_HUB_CACHE names another cache directory",
                    e);
        }
    }

    /** Whether a snapshot has a file of this content. */
    boolean has(RemoteFile file, String commit) throws IOException {
        Path link = snapshot(commit).resolve(file.path());
        return Files.isRegularFile(link)
                && (file.size() < 0 || Files.size(link) == file.size())
                && isLinked(link, file);
    }

    private boolean isLinked(Path link, RemoteFile file) throws IOException {
        return !Files.isSymbolicLink(link) // a copy, where links are not possible
                || Files.readSymbolicLink(link).getFileName().toString().equals(file.etag());
    }

    /** Makes a blob appear in a snapshot; a link that leads elsewhere is replaced. */
    void link(RemoteFile file, String commit) throws IOException {
        Path link = snapshot(commit).resolve(file.path());
        Files.createDirectories(link.getParent());
        Path target = link.getParent().relativize(blob(file.etag()));
        Path temporary = link.resolveSibling(
                "." + link.getFileName() + "." + Long.toHexString(new SecureRandom().nextLong()) + ".tmp");
        try {
            Files.createSymbolicLink(temporary, target);
            Files.move(temporary, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (FileAlreadyExistsException e) {
            throw new HubException(link + ": cannot be replaced; remove it and run the command again", e);
        } catch (UnsupportedOperationException | FileSystemException e) { // Windows without the right to link
            Files.deleteIfExists(temporary);
            Files.move(blob(file.etag()), link, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Has a branch or tag name a commit; a commit names itself. */
    void setRef(String revision, String commit) throws IOException {
        if (revision.equals(commit)) {
            return;
        }
        Path ref = directory.resolve("refs").resolve(revision);
        Files.createDirectories(ref.getParent());
        WholeFile.write(ref, commit.getBytes(StandardCharsets.US_ASCII));
    }
}
