package dev.xlstm.model;

import dev.xlstm.error.NotFoundException;
import dev.xlstm.hub.HubCache;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A model on disk: config, weights, tokenizer and generation config. Opening reads the config only; the weights are
 * mapped when they are first asked for and stay so until {@link #close()}. Not thread-safe; what it hands out may be
 * read by any thread.
 */
public final class ModelDirectory implements AutoCloseable {

    /** The context xLSTM-7b was trained with; what a config means that does not say. */
    private static final int DEFAULT_TRAINING_CONTEXT = 8192;

    private final Path path;
    private final JsonObject json;
    private final XlstmConfig config;
    private Checkpoint checkpoint;
    private WeightLoader loader;
    private XlstmWeights weights;
    private WeightFormat format; // null for the stored ones
    private Arena converted; // holds the weights in that format
    private Tokenizer tokenizer;

    private ModelDirectory(Path path, JsonObject json) throws ModelException {
        this.path = path;
        this.json = json;
        this.config = XlstmConfig.of(json);
    }

    /**
     * Opens a model by name.
     *
     * @param model a directory, or the id (org/name) of a model in the local Hugging Face cache
     * @throws ModelException if there is no such model here, or its config.json makes no sense
     */
    public static ModelDirectory open(String model) throws IOException {
        return open(resolve(model, System.getenv()));
    }

    /** Opens the model in a directory. */
    public static ModelDirectory open(Path directory) throws IOException {
        Path file = directory.resolve("config.json");
        if (!Files.exists(file)) { // NX-AI's own packages write the other
            file = directory.resolve("config.yaml");
        }
        if (!Files.exists(file)) {
            throw new ModelException(directory, "has no config.json and no config.yaml; fetch it, too");
        }
        return new ModelDirectory(directory, JsonObject.read(file));
    }

    static Path resolve(String model, Map<String, String> environment) throws IOException {
        Path path;
        try {
            path = Path.of(model);
        } catch (InvalidPathException e) {
            throw new ModelException("'" + model + "' is neither a directory nor a Hugging Face id");
        }
        if (Files.isDirectory(path)) {
            return path;
        }
        if (Files.exists(path)) {
            throw new ModelException(path, "is a file; name the directory it is in");
        }
        if (HubCache.isName(model)) {
            return HubCache.of(environment).find(model);
        }
        throw new NotFoundException(path, "no such model directory");
    }

    public Path path() {
        return path;
    }

    public XlstmConfig config() {
        return config;
    }

    /** All tensors as they are stored; valid until {@link #close()}. */
    public Checkpoint checkpoint() throws IOException {
        if (checkpoint == null) {
            checkpoint = Checkpoint.open(path);
        }
        return checkpoint;
    }

    /**
     * The weights, every shape checked; valid until {@link #close()}.
     *
     * @throws IOException if a file is missing or damaged, or does not fit the config
     */
    public XlstmWeights weights() throws IOException {
        if (weights == null) {
            loader = new WeightLoader(config, checkpoint());
            weights = loader.load();
            if (format != null) { // all is known to be there and of the right shape
                converted = Arena.ofShared();
                loader = new WeightLoader(config, checkpoint(), new MatrixConverter(format, converted));
                weights = loader.load();
            }
        }
        return weights;
    }

    /** The formats {@link #convertTo} knows. */
    public static List<String> formats() {
        return Arrays.stream(WeightFormat.values()).map(WeightFormat::toString).toList();
    }

    /**
     * Has {@link #weights} convert the matrices, in memory, instead of reading them as stored. Norms and biases stay
     * float32; under a quantised format, the embedding and the gates stay as stored.
     *
     * @param format one of {@link #formats}; null for no conversion
     * @throws IllegalArgumentException if there is no such format
     * @throws IllegalStateException if the weights have been loaded
     */
    public void convertTo(String format) {
        if (weights != null) {
            throw new IllegalStateException("the weights have been loaded already");
        }
        this.format = format == null ? null : WeightFormat.of(format);
    }

    /** The matrices of {@link #weights} by the names of their tensors. */
    Map<String, WeightMatrix> matrices() throws IOException {
        weights();
        return loader.matrices();
    }

    /** The format that most bytes of the matrices have in the files. */
    public String storedFormat() throws IOException {
        Map<String, Long> bytes = new TreeMap<>();
        matrices().values().forEach(m -> bytes.merge(m.format().toString(), (long) m.rows() * m.columns(), Long::sum));
        return Collections.max(bytes.entrySet(), Map.Entry.comparingByValue()).getKey();
    }

    /** Names of tensors in the checkpoint that the model has no place for: harmless, but worth a look. */
    public List<String> unusedTensors() throws IOException {
        weights();
        return loader.unusedTensors();
    }

    /** The tokenizer.json, if there is one; models without speak in ids only. */
    public Optional<Path> tokenizerFile() {
        return Optional.of(path.resolve("tokenizer.json")).filter(Files::exists);
    }

    /**
     * The tokenizer of {@link #tokenizerFile()}, loaded when it is first asked for.
     *
     * @throws IOException if it is damaged or of a kind that is not supported
     */
    public Optional<Tokenizer> tokenizer() throws IOException {
        Optional<Path> file = tokenizerFile();
        if (tokenizer == null && file.isPresent()) {
            tokenizer = Tokenizer.load(file.get());
        }
        return Optional.ofNullable(tokenizer);
    }

    public TokenizerConfig tokenizerConfig() throws IOException {
        return TokenizerConfig.read(path);
    }

    public GenerationConfig generationConfig() throws IOException {
        return GenerationConfig.of(JsonObject.readIfThere(path.resolve("generation_config.json")));
    }

    public SpecialTokens specialTokens() throws IOException {
        return SpecialTokens.of(
                json, generationConfig(), tokenizerConfig(), tokenizer().orElse(null));
    }

    /** Ids the model saw at once in training. It runs beyond, in the same memory, but quality may fade. */
    public int trainingContext() throws ModelException {
        int max = Integer.MAX_VALUE;
        JsonObject tree = BlockStack.isIn(json) ? BlockStack.tree(json) : json;
        return tree.integer(
                "context_length", tree.integer("max_position_embeddings", DEFAULT_TRAINING_CONTEXT, 1, max), 1, max);
    }

    /** Unmaps the weights: nothing got from here may be used for computing any more. */
    @Override
    public void close() {
        if (checkpoint != null) {
            checkpoint.close();
        }
        if (converted != null) {
            converted.close();
            converted = null;
        }
    }
}
