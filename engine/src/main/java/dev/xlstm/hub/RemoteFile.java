package dev.xlstm.hub;

import java.net.URI;

/**
 * A file of a repository, as the hub describes it.
 *
 * @param path within the repository
 * @param etag names the content: the SHA-256 of a large file, the git object id of a small one
 * @param size bytes; -1 if the server does not say
 * @param commit the repository's commit; null if the server does not say
 * @param location where the bytes are; may be on another host and expire
 */
public record RemoteFile(String path, String etag, long size, String commit, URI location) {}
