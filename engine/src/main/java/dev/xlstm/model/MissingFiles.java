package dev.xlstm.model;

import dev.xlstm.error.NotFoundException;
import dev.xlstm.hub.HubCache;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Says what a path that cannot be opened as a model is, and what to do about it. Advice is given only where it leads to a
 * model that opens.
 */
final class MissingFiles {

    private static final int MAX_ENTRIES = 10_000; // looked at in a directory
    private static final Pattern CODE = Pattern.compile(".*\\.(?:bin|pt|pth|ckpt)");
    private static final Pattern GGUF = Pattern.compile(".*\\.gguf");
    private static final Pattern OTHER_WEIGHTS = Pattern.compile(".*\\.(?:h5|msgpack|onnx|npz|nemo|tflite)");
    private static final Pattern SAFETENSORS = Pattern.compile("model(?:_0|-\\d+-of-\\d+)?\\.safetensors");
    private static final Pattern CONFIG = Pattern.compile("config\\.(?:json|yaml)");
    private static final String CONVERT = "scripts/convert_checkpoint.py";

    private MissingFiles() {}

    /** For a path that is a file instead of a directory. */
    static ModelException file(Path file) {
        String name = file.getFileName().toString();
        if (GGUF.matcher(name).matches()) {
            return new ModelException(file, gguf());
        }
        if (CODE.matcher(name).matches()) {
            return new ModelException(file, code());
        }
        return new ModelException(file, "is a file; name the directory it is in");
    }

    /** Checks the files that a model is made of before they are opened: a link may lead nowhere. */
    static void checkLinks(Path directory) throws IOException {
        Optional<Path> broken = first(
                directory,
                path -> Files.isSymbolicLink(path)
                        && Files.notExists(path)
                        && path.getFileName().toString().matches(".*\\.(safetensors|json|yaml|jinja)"));
        if (broken.isPresent()) {
            String again = HubCache.idOf(directory)
                    .map(id -> "; fetch the model again: hf download " + id)
                    .orElse("; fetch the file again");
            throw new NotFoundException(
                    broken.get(),
                    "is a link to " + Files.readSymbolicLink(broken.get()) + ", which does not exist" + again);
        }
    }

    /** For a directory without a config. */
    static IOException noConfig(Path directory) throws IOException {
        Optional<IOException> other = otherKind(directory);
        if (other.isPresent()) {
            return other.get();
        }
        return new NotFoundException(
                directory,
                "has no config.json and no config.yaml"
                        + inSubdirectory(directory, CONFIG).orElse("; fetch it, too"));
    }

    /** For a directory with a config, but without weights that can be read. */
    static IOException noWeights(Path directory) throws IOException {
        Optional<IOException> other = otherKind(directory);
        if (other.isPresent()) {
            return other.get();
        }
        Optional<Path> safetensors = first(directory, path -> path.toString().endsWith(".safetensors"));
        if (safetensors.isPresent()) {
            return new NotFoundException(
                    directory,
                    "has no model.safetensors, but " + safetensors.get().getFileName()
                            + "; if that holds the weights, rename it");
        }
        return new NotFoundException(
                directory,
                "holds no weights: no model.safetensors, no model.safetensors.index.json, no model_0.safetensors"
                        + inSubdirectory(directory, SAFETENSORS).orElse("; fetch them, too"));
    }

    /** Weights of another kind, or an adapter. */
    private static Optional<IOException> otherKind(Path directory) throws IOException {
        Path adapter = directory.resolve("adapter_config.json");
        if (Files.isRegularFile(adapter)) {
            JsonObject json = JsonObject.read(adapter);
            String base = json.value("base_model_name_or_path") instanceof String text
                    ? " of " + JsonObject.shown(text).replace("\"", "")
                    : "";
            return Optional.of(new ModelException(
                    directory,
                    "is an adapter" + base + ", not a model; take a merged model, or merge the two with " + CONVERT));
        }
        Optional<Path> code = first(
                directory,
                path -> CODE.matcher(path.getFileName().toString()).matches()
                        && !path.getFileName()
                                .toString()
                                .matches("(training_args|optimizer|scheduler|rng_state.*)\\..*"));
        if (code.isPresent()) {
            return Optional.of(new ModelException(code.get(), code()));
        }
        Optional<Path> gguf = first(
                directory, path -> GGUF.matcher(path.getFileName().toString()).matches());
        if (gguf.isPresent()) {
            return Optional.of(new ModelException(gguf.get(), gguf()));
        }
        return first(
                        directory,
                        path -> OTHER_WEIGHTS
                                .matcher(path.getFileName().toString())
                                .matches())
                .map(path -> new ModelException(
                        path, "holds weights in a format that is not read; take the model's safetensors files"));
    }

    private static String code() {
        return "is a PyTorch file, which can carry code and is not read; convert it to safetensors with " + CONVERT;
    }

    private static String gguf() {
        return "is a GGUF file, which is not read; take the model's safetensors files and config.json";
    }

    /** A hint at sub-directories that have what is missing. */
    private static Optional<String> inSubdirectory(Path directory, Pattern wanted) throws IOException {
        List<String> names = new ArrayList<>();
        for (Path below : all(directory, Files::isDirectory)) {
            if (first(
                            below,
                            path -> wanted.matcher(path.getFileName().toString())
                                    .matches())
                    .isPresent()) {
                names.add(below.getFileName().toString());
            }
        }
        names.sort(null);
        return names.isEmpty()
                ? Optional.empty()
                : Optional.of("; name a directory in it that has: "
                        + String.join(", ", names.subList(0, Math.min(5, names.size())))
                        + (names.size() > 5 ? ", ..." : ""));
    }

    private static Optional<Path> first(Path directory, Predicate<Path> matches) throws IOException {
        return all(directory, matches).stream().min(Path::compareTo);
    }

    private static List<Path> all(Path directory, Predicate<Path> matches) throws IOException {
        List<Path> found = new ArrayList<>();
        int left = MAX_ENTRIES;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                if (--left < 0) {
                    break;
                }
                if (matches.test(entry)) {
                    found.add(entry);
                }
            }
        }
        return found;
    }
}
