package dev.xlstm.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/** What the hub's cache holds: its snapshots, whether their content is right, and what removing one frees. */
public final class CachedModels {

    private static final int BUFFER_BYTES = 256 << 10;

    /**
     * One revision of a repository.
     *
     * @param id {@code ORG/NAME}
     * @param commit which its directory is named after
     * @param refs branches and tags that name the commit
     * @param directory with links to the files
     */
    public record Snapshot(String id, String commit, List<String> refs, Path directory) {}

    /**
     * What is wrong with a file of a snapshot.
     *
     * @param path within the snapshot
     */
    public record Problem(String path, String text) {}

    private final Path cache;

    private CachedModels(Path cache) {
        this.cache = cache;
    }

    public static CachedModels of(Map<String, String> environment) {
        return new CachedModels(HubCache.directory(environment));
    }

    /** All snapshots of models, by id. */
    public List<Snapshot> list() throws IOException {
        List<Snapshot> found = new ArrayList<>();
        for (Path repository : entries(cache)) {
            String[] name = repository.getFileName().toString().split("--", 3);
            if (name.length != 3 || !name[0].equals("models")) {
                continue;
            }
            Map<String, List<String>> refs = refs(repository.resolve("refs"));
            for (Path snapshot : entries(repository.resolve("snapshots"))) {
                String commit = snapshot.getFileName().toString();
                found.add(
                        new Snapshot(name[1] + "/" + name[2], commit, refs.getOrDefault(commit, List.of()), snapshot));
            }
        }
        found.sort(Comparator.comparing(Snapshot::id).thenComparing(Snapshot::commit));
        return found;
    }

    private static List<Path> entries(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(Files::isDirectory).sorted().toList();
        }
    }

    /** Names of branches and tags by commit. */
    private static Map<String, List<String>> refs(Path directory) throws IOException {
        Map<String, List<String>> refs = new TreeMap<>();
        for (Path ref : files(directory)) {
            if (Files.size(ref) <= 256) {
                String commit =
                        Files.readString(ref, StandardCharsets.ISO_8859_1).strip();
                refs.computeIfAbsent(commit, key -> new ArrayList<>())
                        .add(directory.relativize(ref).toString());
            }
        }
        return refs;
    }

    private static List<Path> files(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    /** Bytes of a snapshot's files; links that lead nowhere do not count. */
    public static long bytes(Snapshot snapshot) throws IOException {
        long bytes = 0;
        for (Path file : files(snapshot.directory())) {
            bytes += Files.size(file);
        }
        return bytes;
    }

    /** When a file of a snapshot was last read, as far as the file system tells. */
    public static Instant lastUsed(Snapshot snapshot) throws IOException {
        Instant last = Instant.EPOCH;
        for (Path file : files(snapshot.directory())) {
            Instant read = Files.readAttributes(file, BasicFileAttributes.class)
                    .lastAccessTime()
                    .toInstant();
            last = read.isAfter(last) ? read : last;
        }
        return last;
    }

    /**
     * Hashes the files of a snapshot, and compares them with the names of their content.
     *
     * @param progress given the bytes of each piece read
     */
    public static List<Problem> verify(Snapshot snapshot, LongConsumer progress) throws IOException {
        List<Problem> problems = new ArrayList<>();
        List<Path> links;
        try (Stream<Path> all = Files.walk(snapshot.directory())) {
            links = all.filter(path -> !Files.isDirectory(path)).sorted().toList();
        }
        for (Path link : links) {
            String name = snapshot.directory().relativize(link).toString();
            if (!Files.isRegularFile(link)) {
                problems.add(new Problem(name, "is missing: its link leads nowhere"));
            } else if (Files.isSymbolicLink(link) && !isRight(link, progress)) {
                problems.add(new Problem(name, "has other content than its name says"));
            }
        }
        return problems;
    }

    private static boolean isRight(Path link, LongConsumer progress) throws IOException {
        ContentHash hash =
                ContentHash.of(Files.readSymbolicLink(link).getFileName().toString(), Files.size(link));
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = Files.newInputStream(link)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                hash.update(buffer, count);
                progress.accept(count);
            }
        }
        return hash.matches();
    }

    /**
     * What removing a snapshot takes away.
     *
     * @param files its links, the refs that name it, and blobs that no other snapshot links to
     * @param bytes of these blobs
     */
    public record Removal(Snapshot snapshot, List<Path> files, long bytes) {

        /** Deletes them, and directories left empty. */
        public void run() throws IOException {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
            Path repository = snapshot.directory().getParent().getParent();
            try (Stream<Path> all = Files.walk(repository)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    if (Files.isDirectory(path) && isEmpty(path)) {
                        Files.delete(path);
                    }
                }
            }
        }

        private static boolean isEmpty(Path directory) throws IOException {
            try (Stream<Path> entries = Files.list(directory)) {
                return entries.findAny().isEmpty();
            }
        }
    }

    /** What removing a snapshot would take away; nothing is deleted. */
    public static Removal removal(Snapshot snapshot) throws IOException {
        Path repository = snapshot.directory().getParent().getParent();
        Path blobs = repository.resolve("blobs");
        Set<Path> mine = new HashSet<>();
        Set<Path> others = new HashSet<>();
        List<Path> files = new ArrayList<>();
        try (Stream<Path> all = Files.walk(repository.resolve("snapshots"))) {
            for (Path link : all.filter(path -> !Files.isDirectory(path)).toList()) {
                boolean own = link.startsWith(snapshot.directory());
                if (own) {
                    files.add(link);
                }
                if (Files.isSymbolicLink(link)) {
                    Path target = link.getParent()
                            .resolve(Files.readSymbolicLink(link))
                            .normalize();
                    (own ? mine : others).add(target);
                }
            }
        }
        long bytes = 0;
        for (Path blob : mine) {
            if (!others.contains(blob) && blob.startsWith(blobs) && Files.isRegularFile(blob)) {
                bytes += Files.size(blob);
                files.add(blob);
            }
        }
        for (String ref : snapshot.refs()) {
            files.add(repository.resolve("refs").resolve(ref));
        }
        return new Removal(snapshot, files, bytes);
    }
}
