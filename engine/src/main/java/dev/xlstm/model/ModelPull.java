package dev.xlstm.model;

import dev.xlstm.error.DamagedFileException;
import dev.xlstm.hub.Hub;
import dev.xlstm.hub.HubException;
import dev.xlstm.hub.HubName;
import dev.xlstm.hub.RemoteFile;
import dev.xlstm.hub.RepositoryListing;
import dev.xlstm.hub.TransferListener;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.safetensors.TensorInfo;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * Fetches a model from the hub: config and tokenizer first, then the headers of its weights. A model that cannot be run is
 * refused before its weights are fetched.
 */
public final class ModelPull {

    private static final Set<String> SMALL_FILES = Set.of(
            "config.json",
            "config.yaml",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
            "chat_template.jinja",
            "chat_template.json");
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String NUMBERED = "model_\\d+\\.safetensors";
    private static final String NOT_READ = ".*\\.(bin|pt|pth|ckpt|gguf|h5|msgpack|onnx)";

    /**
     * What a pull is about to do.
     *
     * @param files to fetch, weights
     * @param totalBytes of these files
     * @param presentBytes of them already here
     * @param storeBytes that the model takes on disk
     * @param weightBytes that the model takes in memory
     */
    public record Plan(
            String id,
            String commit,
            int files,
            long totalBytes,
            long presentBytes,
            long storeBytes,
            long weightBytes) {

        /** Bytes that will be transferred. */
        public long fetchBytes() {
            return totalBytes - presentBytes;
        }
    }

    /** Follows a pull. */
    public interface Listener extends TransferListener {

        /** Asked before weights are fetched; false ends the pull. */
        boolean accept(Plan plan);

        /** Another process pulls the same model: this one waits for it. */
        void waiting();
    }

    private final Hub hub;
    private final Listener listener;
    private final RepositoryListing repository;
    private final Map<String, RemoteFile> weights = new LinkedHashMap<>(); // by name in the model's directory
    private final String directory; // within the repository, with a slash at its end; empty for the top

    private ModelPull(Hub hub, RepositoryListing repository, String subdirectory, Listener listener) {
        this.hub = hub;
        this.repository = repository;
        this.listener = listener;
        directory = subdirectory.isEmpty() ? "" : subdirectory + "/";
    }

    /**
     * Fetches what running a model needs, into the hub's cache.
     *
     * @return the model's directory
     * @throws ModelException if the model cannot be run; its weights are not fetched then
     * @throws CancellationException if the listener cancels or does not accept; what has arrived stays
     */
    public static Path pull(Hub hub, HubName name, Listener listener) throws IOException, InterruptedException {
        return pull(hub, name, null, null, listener);
    }

    /**
     * Fetches a model and converts its weights while they arrive: the original is never on disk.
     *
     * @param store where the converted model goes
     * @param format of the matrices
     * @return the model's directory
     * @throws ModelException as {@link #pull(Hub, HubName, Listener)}
     */
    public static Path pull(Hub hub, HubName name, ConvertedModels store, WeightFormat format, Listener listener)
            throws IOException, InterruptedException {
        RepositoryListing repository = hub.list(name.id(), name.revision(), listener);
        AutoCloseable lock = hub.lock(repository.id(), listener::waiting, listener);
        try {
            ModelPull pull = new ModelPull(hub, repository, name.subdirectory(), listener);
            if (format != null) {
                return pull.runConverting(store.directory(name, format), format);
            }
            Path model = pull.run();
            hub.setRef(repository, name.revision());
            return model;
        } finally {
            release(lock);
        }
    }

    private static void release(AutoCloseable lock) throws IOException {
        try {
            lock.close();
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    private Path run() throws IOException, InterruptedException {
        Path model = fetchSmallFiles();
        Path trial = Files.createTempDirectory("xlstm-pull");
        try (ModelDirectory headers = openHeaders(model, trial)) {
            accept(plan(headers, totalBytes()));
        } finally {
            delete(trial);
        }
        for (RemoteFile file : weights.values()) {
            hub.fetch(repository, file, listener);
        }
        return model;
    }

    private Path runConverting(Path target, WeightFormat format) throws IOException, InterruptedException {
        if (Files.exists(target)) {
            return target;
        }
        Files.createDirectories(target.getParent());
        Path model = fetchSmallFiles();
        Path trial = Files.createTempDirectory("xlstm-pull");
        try (ModelDirectory headers = openHeaders(model, trial)) {
            if (Quantization.isQuantized(headers.checkpoint())) {
                throw new ModelException(repository.id() + ": is quantised already; fetch it without --format");
            }
            long bytes = new CheckpointConversion(headers, format)
                    .layout().stream().mapToLong(TensorInfo::byteSize).sum();
            Plan plan = plan(headers, bytes);
            accept(new Plan(plan.id, plan.commit, plan.files, plan.totalBytes, 0, bytes, bytes));
            String name =
                    repository.id() + (directory.isEmpty() ? "" : "/" + directory.replaceAll("/$", "")) + ":" + format;
            new ConvertingDownload(hub, repository, headers, format, listener).run(weights, target, name);
            return target;
        } finally {
            delete(trial);
        }
    }

    private Path fetchSmallFiles() throws IOException, InterruptedException {
        Path model = hub.snapshot(repository).resolve(directory);
        List<String> here = repository.paths().stream()
                .filter(path -> path.startsWith(directory) && path.indexOf('/', directory.length()) < 0)
                .map(path -> path.substring(directory.length()))
                .toList();
        checkNames(here);
        for (String name : here) {
            if (SMALL_FILES.contains(name) || name.equals(INDEX) && !here.contains(SINGLE)) {
                hub.fetch(repository, describe(name), listener);
            }
        }
        ModelDirectory.open(model).close(); // the config, before anything is asked about the weights
        for (String name : weightFiles(here, model)) {
            weights.put(name, describe(name));
        }
        return model;
    }

    private void accept(Plan plan) throws IOException {
        if (!listener.accept(plan)) {
            throw new CancellationException();
        }
        long needed = plan.storeBytes() - plan.presentBytes();
        if (needed > hub.freeBytes()) {
            throw new HubException(plan.id() + ": needs " + needed + " bytes on disk, " + hub.freeBytes()
                    + " are free; free some, or set HF_HUB_CACHE to a directory on another disk");
        }
    }

    private RemoteFile describe(String name) throws IOException, InterruptedException {
        return hub.describe(repository, directory + name, listener);
    }

    private void checkNames(List<String> here) throws ModelException {
        if (here.contains("config.json") || here.contains("config.yaml")) {
            return;
        }
        List<String> below = repository.paths().stream()
                .filter(path -> path.startsWith(directory) && path.endsWith("/config.json"))
                .map(path -> path.substring(0, path.lastIndexOf('/')))
                .sorted()
                .toList();
        String where = repository.id() + (directory.isEmpty() ? "" : "/" + directory.replaceAll("/$", ""));
        if (!below.isEmpty()) {
            throw new ModelException(where + ": holds " + below.size() + " models in directories; name one, such as "
                    + repository.id() + "/" + below.getFirst());
        }
        throw new ModelException(where + ": has no config.json and no config.yaml, so it is no model that can be run");
    }

    private List<String> weightFiles(List<String> here, Path model) throws IOException {
        if (here.contains(SINGLE)) {
            return List.of(SINGLE);
        }
        if (here.contains(INDEX)) {
            List<String> shards = Checkpoint.shardNames(model.resolve(INDEX));
            for (String shard : shards) {
                if (!repository.paths().contains(directory + shard)) {
                    throw new ModelException(
                            repository.id() + ": " + INDEX + " names '" + shard + "', which the repository lacks");
                }
            }
            return shards;
        }
        List<String> numbered = here.stream()
                .filter(name -> name.matches(NUMBERED))
                .sorted(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()))
                .toList();
        if (numbered.isEmpty()) {
            Optional<String> other =
                    here.stream().filter(name -> name.matches(NOT_READ)).findFirst();
            throw new ModelException(repository.id() + ": has no weights in safetensors files"
                    + other.map(name -> "; it has " + name
                                    + ", which is not read: fetch it with huggingface_hub and convert it with"
                                    + " scripts/convert_checkpoint.py")
                            .orElse(""));
        }
        return numbered;
    }

    private long totalBytes() {
        return weights.values().stream().mapToLong(RemoteFile::size).sum();
    }

    private Plan plan(ModelDirectory headers, long storeBytes) throws IOException {
        long present = 0;
        for (RemoteFile file : weights.values()) {
            present += hub.has(repository, file) ? file.size() : hub.bytesPresent(repository, file);
        }
        return new Plan(
                repository.id(),
                repository.commit(),
                weights.size(),
                totalBytes(),
                present,
                storeBytes,
                headers.checkpoint().byteSize());
    }

    /** Opens the model over sparse files that hold the headers alone: every name, type and shape is checked. */
    private ModelDirectory openHeaders(Path model, Path trial) throws IOException, InterruptedException {
        try (DirectoryStream<Path> small = Files.newDirectoryStream(model)) {
            for (Path file : small) {
                if (!file.getFileName().toString().endsWith(".safetensors") && Files.isRegularFile(file)) {
                    Files.copy(file, trial.resolve(file.getFileName()));
                }
            }
        }
        for (Map.Entry<String, RemoteFile> entry : weights.entrySet()) {
            if (entry.getValue().size() < 0) {
                throw new HubException(entry.getValue().path() + ": the hub does not say how large it is");
            }
            Path target = trial.resolve(entry.getKey());
            Files.createDirectories(target.getParent());
            hub.fetchHeader(repository, entry.getValue(), target, listener);
        }
        try {
            ModelDirectory headers = ModelDirectory.open(trial);
            try {
                headers.weights();
                return headers;
            } catch (Throwable e) {
                headers.close();
                throw e;
            }
        } catch (DamagedFileException e) {
            throw new ModelException(e.getMessage().replace(trial.toString(), repository.id()));
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
