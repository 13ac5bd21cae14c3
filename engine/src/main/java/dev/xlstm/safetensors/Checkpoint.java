package dev.xlstm.safetensors;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tensors of a directory, in one file or in shards. Opening reads headers only. */
public final class Checkpoint implements AutoCloseable {

    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private final Path directory;
    private final List<SafetensorsFile> files = new ArrayList<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<String, Path> sources = new HashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();

    private Checkpoint(Path directory) {
        this.directory = directory;
    }

    /**
     * Opens {@code model.safetensors}; else the shards that {@code model.safetensors.index.json} names; else
     * {@code model_0.safetensors}, {@code model_1.safetensors} and so on.
     *
     * @throws SafetensorsException if there is none of them, a shard is missing, or a file is damaged
     */
    public static Checkpoint open(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new SafetensorsException(directory, "no such directory");
        }
        Checkpoint checkpoint = new Checkpoint(directory);
        try {
            if (Files.exists(directory.resolve(SINGLE))) {
                checkpoint.add(directory.resolve(SINGLE));
            } else if (Files.exists(directory.resolve(INDEX))) {
                checkpoint.addIndexed(directory.resolve(INDEX));
            } else {
                checkpoint.addNumbered();
            }
            return checkpoint;
        } catch (Throwable e) {
            checkpoint.close();
            throw e;
        }
    }

    /** Whether a directory holds one of the files that {@link #open} reads. */
    public static boolean isIn(Path directory) throws IOException {
        if (Files.exists(directory.resolve(SINGLE)) || Files.exists(directory.resolve(INDEX))) {
            return true;
        }
        try (DirectoryStream<Path> numbered = Files.newDirectoryStream(directory, "model_*.safetensors")) {
            return numbered.iterator().hasNext();
        }
    }

    private void add(Path path) throws IOException {
        SafetensorsFile file = SafetensorsFile.open(path);
        files.add(file);
        for (Tensor tensor : file.tensors().values()) {
            Path other = sources.put(tensor.name(), path);
            if (other != null) {
                throw new SafetensorsException(path, "tensor '" + tensor.name() + "' is in " + other + ", too");
            }
            tensors.put(tensor.name(), tensor);
        }
        file.metadata().forEach(metadata::putIfAbsent);
    }

    private void addIndexed(Path index) throws IOException {
        Map<String, String> weightMap = readWeightMap(index); // tensor -> shard
        Set<Path> shards = new LinkedHashSet<>();
        for (String name : weightMap.values()) {
            shards.add(shard(index, name));
            if (shards.size() > SafetensorsLimits.SHARDS) {
                throw new SafetensorsException(
                        index, "weight_map names more than " + SafetensorsLimits.SHARDS + " shards");
            }
        }
        List<Path> missing = shards.stream().filter(Files::notExists).toList();
        if (!missing.isEmpty()) {
            throw new SafetensorsException(
                    directory,
                    missing.size() + " of " + shards.size() + " shards are missing, among them "
                            + missing.getFirst().getFileName() + "; fetch them, too");
        }
        for (Path shard : shards) {
            add(shard);
        }
        for (Map.Entry<String, String> entry : weightMap.entrySet()) {
            Path shard = shard(index, entry.getValue());
            if (!shard.equals(sources.get(entry.getKey()))) {
                throw new SafetensorsException(
                        shard,
                        "has no tensor '" + entry.getKey() + "', which " + index.getFileName()
                                + " lists; fetch both again");
            }
        }
    }

    /**
     * The shards that an index names, each once, in the order of the index.
     *
     * @throws SafetensorsException if the index is damaged, or a name is not that of a file in its directory
     */
    public static List<String> shardNames(Path index) throws IOException {
        Checkpoint checkpoint = new Checkpoint(index.toAbsolutePath().getParent());
        Set<String> names = new LinkedHashSet<>(readWeightMap(index).values());
        for (String name : names) {
            checkpoint.shard(index, name);
        }
        return List.copyOf(names);
    }

    /** Checks the name only: the file may be a link out of the directory, as in the Hugging Face cache. */
    private Path shard(Path index, String name) throws SafetensorsException {
        try {
            Path path = Path.of(name);
            boolean climbs = false;
            for (Path element : path) {
                climbs |= element.toString().isEmpty() || element.toString().equals("..");
            }
            if (!climbs && !path.isAbsolute() && path.getRoot() == null && name.indexOf('\\') < 0) {
                return directory.resolve(path);
            }
        } catch (InvalidPathException e) {
            // not a file name
        }
        throw new SafetensorsException(
                index, "weight_map names '" + name + "', which is not the name of a file in its directory");
    }

    private static Map<String, String> readWeightMap(Path index) throws IOException {
        Map<String, String> weightMap = null;
        try (JsonSource in = JsonSource.open(index, "the index")) {
            in.beginObject("the index");
            for (String key = in.nextKey(); key != null; key = in.nextKey()) {
                if (!key.equals("weight_map")) {
                    in.skipValue();
                } else if (weightMap != null) {
                    throw in.problem("weight_map occurs twice");
                } else {
                    weightMap = new LinkedHashMap<>();
                    in.beginObject("weight_map");
                    for (String name = in.nextKey(); name != null; name = in.nextKey()) {
                        if (weightMap.size() == SafetensorsLimits.TENSORS) {
                            throw in.problem("weight_map names more than " + SafetensorsLimits.TENSORS + " tensors");
                        }
                        if (weightMap.put(name, in.string("weight_map '" + name + "'")) != null) {
                            throw in.problem("the name '" + name + "' occurs twice in weight_map");
                        }
                    }
                }
            }
            in.end();
            if (weightMap == null || weightMap.isEmpty()) {
                throw in.problem("the index has no weight_map");
            }
        }
        return weightMap;
    }

    private void addNumbered() throws IOException {
        int count = 0;
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory, "model_*.safetensors")) {
            for (Path path : all) {
                if (path.getFileName().toString().matches("model_\\d+\\.safetensors")
                        && ++count > SafetensorsLimits.SHARDS) {
                    throw new SafetensorsException(
                            directory, "holds more than " + SafetensorsLimits.SHARDS + " shards");
                }
            }
        }
        if (count == 0) {
            throw new SafetensorsException(
                    directory,
                    "holds no weights: no " + SINGLE + ", no " + INDEX + ", no model_0.safetensors; fetch them, too");
        }
        for (int i = 0; i < count; i++) {
            Path path = directory.resolve("model_" + i + ".safetensors");
            if (Files.notExists(path)) {
                throw new SafetensorsException(path, "this shard is missing; fetch it, too");
            }
            add(path);
        }
    }

    public Path directory() {
        return directory;
    }

    /** The files the tensors are in. */
    public List<Path> files() {
        return files.stream().map(SafetensorsFile::path).toList();
    }

    /** By name, file by file in the order of their bytes. */
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /** The file a tensor is in, or null if there is no such tensor. */
    public Path fileOf(String tensor) {
        return sources.get(tensor);
    }

    /** The metadata of all files; the first file with a key sets its value. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** Bytes of all tensors. */
    public long byteSize() {
        return files.stream().mapToLong(SafetensorsFile::byteSize).sum();
    }

    /** See {@link SafetensorsFile#checkWhole}. */
    public void checkWhole() throws IOException {
        for (SafetensorsFile file : files) {
            file.checkWhole();
        }
    }

    /** Unmaps all files; their tensors can no longer be read. */
    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
        files.clear();
    }
}
