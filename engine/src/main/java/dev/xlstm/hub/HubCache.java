package dev.xlstm.hub;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.error.NotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds models in the local cache of the Hugging Face hub. The layout is huggingface_hub's:
 * {@code models--ORG--NAME/snapshots/COMMIT/} holds links to the files of one commit, and {@code refs/BRANCH} names the
 * commit of a branch or tag. Reads only; nothing is downloaded here.
 */
public final class HubCache {

    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]*";
    private static final Pattern MODEL =
            Pattern.compile("(NAME/NAME)(?:@(NAME(?:/NAME)*)|((?:/NAME)*))".replace("NAME", NAME));
    private static final int MAX_LENGTH = 512; // of the name of a model
    private static final int MAX_REF_BYTES = 256;
    private static final String DEFAULT_REVISION = "main";

    private final Path directory;

    private HubCache(Path directory) {
        this.directory = directory;
    }

    /** The cache that the environment variables of huggingface_hub name. */
    public static HubCache of(Map<String, String> environment) {
        return new HubCache(directory(environment));
    }

    /**
     * Whether a text has the form of a model's name on the hub: {@code ORG/NAME}, {@code ORG/NAME@REVISION},
     * {@code ORG/NAME/SUB/DIRECTORY} or {@code ORG/NAME@REVISION/SUB/DIRECTORY}.
     */
    public static boolean isName(String model) {
        return model.length() <= MAX_LENGTH && MODEL.matcher(model).matches();
    }

    /**
     * The directory of the cache, as huggingface_hub finds it: {@code HF_HUB_CACHE}, {@code HUGGINGFACE_HUB_CACHE},
     * {@code HF_HOME/hub}, {@code XDG_CACHE_HOME/huggingface/hub}, {@code ~/.cache/huggingface/hub}. A leading {@code ~}
     * and {@code $VARIABLE} are expanded. An empty variable counts as unset.
     */
    static Path directory(Map<String, String> environment) {
        for (String variable : new String[] {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
            String hub = environment.getOrDefault(variable, "");
            if (!hub.isEmpty()) {
                return Path.of(expanded(hub, environment));
            }
        }
        return home(environment).resolve("hub");
    }

    /** The directory of all that huggingface_hub keeps: {@code HF_HOME}, {@code ~/.cache/huggingface}. */
    static Path home(Map<String, String> environment) {
        String home = environment.getOrDefault("HF_HOME", "");
        if (home.isEmpty()) {
            String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
            home = (caches.isEmpty() ? "~/.cache" : caches) + "/huggingface";
        }
        return Path.of(expanded(home, environment));
    }

    /** The directory of a repository {@code ORG/NAME} within the cache. */
    static String directoryName(String id) {
        return "models--" + id.replace("/", "--");
    }

    static boolean isId(String id) {
        return id.length() <= MAX_LENGTH && id.matches(NAME + "/" + NAME);
    }

    static boolean isCommit(String text) {
        return text.length() <= MAX_REF_BYTES && text.matches(NAME);
    }

    /** Expands as Python's expanduser, then expandvars, does: an unknown variable stays as written. */
    private static String expanded(String path, Map<String, String> environment) {
        String expanded = path;
        if (path.equals("~") || path.startsWith("~/")) {
            String home = environment.getOrDefault("HOME", "");
            expanded = (home.isEmpty() ? System.getProperty("user.home") : home) + path.substring(1);
        }
        return Pattern.compile("\\$(?:(\\w+)|\\{([^}]*)})").matcher(expanded).replaceAll(variable -> {
            String name = variable.group(1) != null ? variable.group(1) : variable.group(2);
            return Matcher.quoteReplacement(environment.getOrDefault(name, variable.group()));
        });
    }

    /**
     * The directory of a model.
     *
     * @param model a name, see {@link #isName}; without a revision the commit of {@code main}
     * @throws NotFoundException if the cache has no such model, revision or directory
     */
    public Path find(String model) throws IOException {
        Matcher name = MODEL.matcher(model);
        if (!name.matches()) {
            throw new BadRequestException("'" + model + "' is not the name of a model on the hub");
        }
        String id = name.group(1);
        Path repository = directory.resolve(directoryName(id));
        if (!Files.isDirectory(repository)) {
            throw new NotFoundException(
                    repository,
                    "no model " + id + " in the Hugging Face cache, and no directory " + model
                            + " here; fetch it: xlstm pull " + id);
        }
        if (name.group(2) == null) {
            Path snapshot = snapshot(repository, DEFAULT_REVISION)
                    .orElseThrow(() -> new NotFoundException(
                            repository.resolve("refs").resolve(DEFAULT_REVISION),
                            "does not name a revision that is in the cache; fetch the model again: xlstm pull " + id));
            return subdirectory(snapshot, name.group(3), id);
        }
        return findRevision(repository, id, List.of(name.group(2).split("/")));
    }

    /** A branch may have slashes in its name ({@code refs/pr/1}): the longest revision that is there counts. */
    private static Path findRevision(Path repository, String id, List<String> names) throws IOException {
        for (int count = names.size(); count > 0; count--) {
            Optional<Path> snapshot = snapshot(repository, String.join("/", names.subList(0, count)));
            if (snapshot.isPresent()) {
                String rest = String.join("/", names.subList(count, names.size()));
                return subdirectory(snapshot.get(), rest.isEmpty() ? "" : "/" + rest, id);
            }
        }
        throw new NotFoundException(
                repository,
                "has no revision '" + String.join("/", names) + "'; fetch it: xlstm pull " + id + "@"
                        + String.join("/", names));
    }

    /** The files of a branch, a tag or a commit (its full hash, or the first characters of it). */
    private static Optional<Path> snapshot(Path repository, String revision) throws IOException {
        Path snapshots = repository.resolve("snapshots");
        Path ref = repository.resolve("refs").resolve(revision);
        String commit = revision;
        if (Files.isRegularFile(ref)) {
            if (Files.size(ref) > MAX_REF_BYTES) {
                return Optional.empty();
            }
            commit = Files.readString(ref, StandardCharsets.ISO_8859_1).strip();
        }
        if (!commit.matches(NAME)) {
            return Optional.empty();
        }
        if (Files.isDirectory(snapshots.resolve(commit))) {
            return Optional.of(snapshots.resolve(commit));
        }
        if (!commit.matches("[0-9a-f]{7,40}") || !Files.isDirectory(snapshots)) {
            return Optional.empty();
        }
        String beginning = commit;
        try (var entries = Files.list(snapshots)) {
            List<Path> matching = entries.filter(
                            path -> path.getFileName().toString().startsWith(beginning))
                    .toList();
            return matching.size() == 1 ? Optional.of(matching.getFirst()) : Optional.empty();
        }
    }

    private static Path subdirectory(Path snapshot, String below, String id) throws NotFoundException {
        if (below.isEmpty()) {
            return snapshot;
        }
        Path path = snapshot.resolve(below.substring(1));
        if (!Files.isDirectory(path)) {
            throw new NotFoundException(path, "no such directory; fetch it: xlstm pull " + id + below);
        }
        return path;
    }

    /** The id ORG/NAME of the model that a path in a cache belongs to. */
    public static Optional<String> idOf(Path path) {
        for (Path element : path.toAbsolutePath().normalize()) {
            String[] parts = element.toString().split("--", 3);
            if (parts.length == 3 && parts[0].equals("models")) {
                return Optional.of(String.join("/", Arrays.asList(parts).subList(1, 3)));
            }
        }
        return Optional.empty();
    }
}
