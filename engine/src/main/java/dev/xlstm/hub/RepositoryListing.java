package dev.xlstm.hub;

import java.util.List;

/**
 * The files of one revision of a repository.
 *
 * @param id {@code org/name}, as the hub spells it
 * @param commit full commit hash
 * @param paths file names, relative, with slashes; every one checked to stay inside the repository
 */
public record RepositoryListing(String id, String commit, List<String> paths) {}
