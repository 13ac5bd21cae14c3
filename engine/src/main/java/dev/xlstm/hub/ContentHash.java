package dev.xlstm.hub;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Checks content against the name that the hub gives it: SHA-256 of large files, the git object id of small ones. Other
 * names say nothing about the content, which then counts as right.
 */
final class ContentHash {

    private final String name;
    private final MessageDigest digest; // null where the name says nothing

    private ContentHash(String name, MessageDigest digest) {
        this.name = name;
        this.digest = digest;
    }

    /** @param size bytes of the whole content */
    static ContentHash of(RemoteFile file, long size) {
        return of(file.etag(), size);
    }

    static ContentHash of(String name, long size) {
        try {
            if (name.matches("[0-9a-f]{64}")) {
                return new ContentHash(name, MessageDigest.getInstance("SHA-256"));
            }
            if (name.matches("[0-9a-f]{40}")) {
                MessageDigest git = MessageDigest.getInstance("SHA-1");
                git.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
                return new ContentHash(name, git);
            }
            return new ContentHash(name, null);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has both
        }
    }

    void update(byte[] bytes, int count) {
        if (digest != null) {
            digest.update(bytes, 0, count);
        }
    }

    /** Whether all that was hashed is the content of that name; to be asked once. */
    boolean matches() {
        return digest == null || HexFormat.of().formatHex(digest.digest()).equals(name);
    }
}
