package dev.xlstm.model;

import dev.xlstm.error.NotFoundException;
import dev.xlstm.hub.HubCache;
import dev.xlstm.safetensors.Checkpoint;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tensor.WeightMatrix;
import dev.xlstm.tokenizer.Tokenizer;
import dev.xlstm.tokenizer.TokenizerException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A model on disk: config, weights, tokenizer and generation config. Opening reads the config only; weights and tokenizer
 * are opened when they are first asked for. The weights stay mapped until {@link #close()}. Not thread-safe; the weights
 * may be read by any thread.
 */
public final class ModelDirectory implements AutoCloseable {

    /** The context that xLSTM-7b was trained with; the default for configs without one. */
    private static final int DEFAULT_TRAINING_CONTEXT = 8192;

    private final Path path;
    private final ModelSettings settings;
    private final XlstmConfig config;
    private Checkpoint checkpoint;
    private WeightLoader loader;
    private XlstmWeights weights;
    private WeightFormat format; // null for the stored formats
    private Arena converted; // holds the converted weights
    private Path tokenizerSource; // a tokenizer.json from elsewhere; null for the one of the model
    private Tokenizer tokenizer;

    private ModelDirectory(Path path, JsonObject json) throws ModelException {
        this.path = path;
        this.settings = ModelSettings.of(json);
        this.config = XlstmConfig.of(settings);
    }

    /**
     * Opens a model by name.
     *
     * @param model a directory, or the name of a model in the local Hugging Face cache: {@code ORG/NAME}, with
     *     {@code @REVISION} and {@code /SUB/DIRECTORY} if needed
     * @throws NotFoundException if there is no such model here
     * @throws ModelException if its config cannot be used
     */
    public static ModelDirectory open(String model) throws IOException {
        return open(resolve(model, System.getenv()));
    }

    /** Whether {@link #open(String)} would find a directory. */
    public static boolean exists(String model) throws IOException {
        try {
            return Files.isDirectory(resolve(model, System.getenv()));
        } catch (NotFoundException | ModelException e) {
            return false;
        }
    }

    /** Opens the model in a directory. */
    public static ModelDirectory open(Path directory) throws IOException {
        MissingFiles.checkLinks(directory);
        Path file = directory.resolve("config.json");
        if (!Files.exists(file)) { // NX-AI's packages write YAML
            file = directory.resolve("config.yaml");
        }
        if (!Files.exists(file)) {
            throw MissingFiles.noConfig(directory);
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
            throw MissingFiles.file(path);
        }
        if (ConvertedModels.isName(model)) {
            return ConvertedModels.of(environment).find(model);
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
            if (!Checkpoint.isIn(path)) {
                throw MissingFiles.noWeights(path);
            }
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
            if (format != null) { // convert only after every tensor has been checked
                converted = Arena.ofShared();
                loader = new WeightLoader(config, checkpoint(), new MatrixConverter(format, converted));
                weights = loader.load();
            }
        }
        return weights;
    }

    /** The formats of {@link #convertTo}. */
    public static List<String> formats() {
        return Arrays.stream(WeightFormat.values()).map(WeightFormat::toString).toList();
    }

    /**
     * Makes {@link #weights} convert the matrices in memory. Norms and biases stay float32; under a quantised format, the
     * embedding and the gates stay as stored.
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

    /** A tensor's name without the prefixes and wrapper modules of an exporter. */
    String canonicalName(String tensor) throws IOException {
        weights();
        return loader.canonicalName(tensor);
    }

    /** The config as a config.json without wrappers; the bytes of the file if that is one. */
    byte[] canonicalConfig() throws IOException {
        Path file = settings.root().file();
        if (!settings.wrapped() && file.toString().endsWith(".json")) {
            return Files.readAllBytes(file);
        }
        return settings.canonical(config.tiedHead());
    }

    /** Names of tensors in the checkpoint that the model does not use. */
    public List<String> unusedTensors() throws IOException {
        weights();
        return loader.unusedTensors();
    }

    /**
     * Checks that the checkpoint holds no tensor that would change the text if it were used.
     *
     * @throws ModelException if it does; names the tensors
     */
    public void checkAllUsed() throws IOException {
        weights();
        List<String> stray = loader.strayTensors();
        if (!stray.isEmpty()) {
            String names = String.join(", ", stray.subList(0, Math.min(3, stray.size())));
            throw new ModelException(
                    checkpoint().fileOf(stray.getFirst()),
                    (stray.size() == 1
                                    ? "has a tensor that the model does not use: "
                                    : "has " + stray.size() + " tensors that the model does not use: ")
                            + names + (stray.size() > 3 ? ", ..." : "")
                            + "; its text would not be this model's. Remove what is not part of the model, or report an"
                            + " architecture that is missing here");
        }
    }

    /** What people should know about how the files were read: fields that contradict each other, and which one counts. */
    public List<String> remarks() throws IOException {
        weights();
        List<String> remarks = new ArrayList<>(settings.remarks());
        remarks.addAll(loader.remarks());
        return remarks;
    }

    /**
     * Takes the tokenizer from elsewhere: tokenizer.json, and the tokenizer_config.json and chat template beside it.
     *
     * @param source a tokenizer.json, a directory that has one, or the name of a model in the Hugging Face cache
     * @throws NotFoundException if there is no such tokenizer
     */
    public void useTokenizer(String source) throws IOException {
        Path path;
        try {
            path = Path.of(source);
        } catch (InvalidPathException e) {
            throw new NotFoundException(Path.of("tokenizer"), "'" + source + "' is neither a path nor a name");
        }
        if (!Files.exists(path) && HubCache.isName(source)) {
            path = HubCache.of(System.getenv()).find(source);
        }
        Path file = Files.isDirectory(path) ? path.resolve("tokenizer.json") : path;
        if (!Files.exists(file)) {
            throw new NotFoundException(file, "no such tokenizer; name a tokenizer.json or a directory that has one");
        }
        tokenizerSource = file;
        tokenizer = null;
    }

    /** The tokenizer.json, if there is one; models without read and write ids only. */
    public Optional<Path> tokenizerFile() {
        if (tokenizerSource != null) {
            return Optional.of(tokenizerSource);
        }
        return Optional.of(path.resolve("tokenizer.json")).filter(Files::exists);
    }

    /** The advice for a model without a tokenizer. */
    public String noTokenizer() {
        Path parent = path.toAbsolutePath().normalize().getParent();
        String found = parent != null && Files.exists(parent.resolve("tokenizer.json"))
                ? "; there is one in the directory above: --tokenizer " + parent
                : "; name one with --tokenizer: a file, a directory, or a model in the Hugging Face cache";
        return path + ": has no tokenizer.json, so the model reads and writes ids only" + found;
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
        return TokenizerConfig.read(
                tokenizerSource == null
                        ? path
                        : tokenizerSource.toAbsolutePath().getParent());
    }

    public GenerationConfig generationConfig() throws IOException {
        return new GenerationConfig(JsonObject.readIfThere(path.resolve("generation_config.json")));
    }

    /** Where texts begin and end. A tokenizer that cannot be opened counts as none. */
    public SpecialTokens specialTokens() throws IOException {
        Tokenizer tokens;
        try {
            tokens = tokenizer().orElse(null);
        } catch (TokenizerException e) {
            tokens = null;
        }
        return SpecialTokens.of(settings, generationConfig(), tokenizerConfig(), tokens);
    }

    /** Tokens per sequence in training. The model reads on beyond, with the same state, but quality may fade. */
    public int trainingContext() throws ModelException {
        int max = Integer.MAX_VALUE;
        JsonObject context = settings.owner("context_length");
        JsonObject positions = settings.owner("max_position_embeddings");
        return context.integer(
                "context_length",
                positions.integer("max_position_embeddings", DEFAULT_TRAINING_CONTEXT, 1, max),
                1,
                max);
    }

    /** Unmaps the weights: no object that came from here can compute any more. */
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
