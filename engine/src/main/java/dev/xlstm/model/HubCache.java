package dev.xlstm.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Models that other tools have downloaded from the Hugging Face hub. Reads only; nothing is ever downloaded here. */
final class HubCache {

    private static final String ID = "[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*";
    private static final String REVISION = "[A-Za-z0-9][A-Za-z0-9._-]*";

    private HubCache() {}

    static boolean isId(String model) {
        return model.matches(ID) && model.length() <= 256;
    }

    /** The cache's directory, by the environment variables that the hub's own library reads. */
    static Path directory(Map<String, String> environment) {
        String hub = environment.getOrDefault("HF_HUB_CACHE", "");
        if (!hub.isEmpty()) {
            return Path.of(hub);
        }
        String home = environment.getOrDefault("HF_HOME", "");
        if (!home.isEmpty()) {
            return Path.of(home, "hub");
        }
        String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
        Path cache = caches.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(caches);
        return cache.resolve("huggingface").resolve("hub");
    }

    /**
     * The directory of a model's main revision: {@code models--org--name/snapshots/REVISION}, where the file
     * {@code refs/main} names the revision.
     */
    static Path find(String id, Map<String, String> environment) throws IOException {
        Path model = directory(environment).resolve("models--" + id.replace("/", "--"));
        if (!Files.isDirectory(model)) {
            throw new ModelException("no directory " + id + " here, and no model of that name in the Hugging Face"
                    + " cache (looked for " + model + "); nothing is downloaded by itself, fetch it first: hf download "
                    + id);
        }
        Path main = model.resolve("refs").resolve("main");
        if (!Files.isRegularFile(main) || Files.size(main) > 256) {
            throw new ModelException(main, "does not name a revision; fetch the model again: hf download " + id);
        }
        String revision = Files.readString(main, StandardCharsets.ISO_8859_1).strip();
        Path snapshot = model.resolve("snapshots").resolve(revision.matches(REVISION) ? revision : "?");
        if (!revision.matches(REVISION) || !Files.isDirectory(snapshot)) {
            throw new ModelException(
                    main,
                    "names the revision '" + revision + "', which is not in the cache; fetch the model again: hf"
                            + " download " + id);
        }
        return snapshot;
    }
}
