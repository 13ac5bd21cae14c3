package dev.xlstm.cli.options;

import dev.xlstm.backend.Backends;
import dev.xlstm.backend.LoadProgress;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.chat.ChatPrompt;
import dev.xlstm.chat.Message;
import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.MachineMemory;
import dev.xlstm.cli.console.ProgressBar;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.generation.TextModel;
import dev.xlstm.hub.HubName;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.tensor.WeightFormat;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The model and how to run it. */
public final class ModelOptions {

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            description = "Directory of the model, or its name if it is in the local Hugging Face cache: ORG/NAME, with"
                    + " @REVISION or /SUB/DIRECTORY if needed. Default: the demo model")
    private Path model = // a Path, so that shells complete it; an id parses as one
            System.getProperty("xlstm.demo") == null ? null : Path.of(System.getProperty("xlstm.demo"));

    @Option(
            names = "--tokenizer",
            paramLabel = "TOKENIZER",
            description = "A tokenizer.json, its directory, or the name of a model in the local Hugging Face cache."
                    + " Default: the tokenizer of the model")
    private Path tokenizer;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Number of threads; changes the speed, never the result. Default: one per processor")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--backend",
            completionCandidates = BackendNames.class,
            paramLabel = "NAME",
            description =
                    "Where to compute: cpu, gpu, or auto, which takes a GPU listed by xlstm devices if the model fits"
                            + " its memory. Default: auto")
    private String backend = Backends.AUTO;

    @Option(
            names = "--format",
            completionCandidates = FormatNames.class,
            paramLabel = "FORMAT",
            description = "Convert the weights while loading: f32, f16, bf16, q8_0 or q4_0. xlstm quantize saves a"
                    + " converted copy. Default: as stored")
    private String format;

    /** For completion. */
    static final class BackendNames extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        BackendNames() {
            super(List.of(Backends.AUTO, "cpu", "gpu"));
        }
    }

    /** For completion. */
    public static final class FormatNames extends ArrayList<String> {
        private static final long serialVersionUID = 1L;

        public FormatNames() {
            super(ModelDirectory.formats());
        }
    }

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    /** Whether --model is on the command line. */
    public boolean modelGiven() {
        return spec.commandLine().getParseResult().hasMatchedOption("--model");
    }

    private String name() {
        if (model == null) {
            throw new ParameterException(spec.commandLine(), "no model: give --model or set XLSTM_MODEL");
        }
        return model.toString();
    }

    public ModelDirectory directory() throws IOException {
        return directory(name());
    }

    /** The directory of a model that is not the value of --model. */
    public ModelDirectory directory(String name) throws IOException {
        String wanted = format();
        ModelDirectory directory = ModelDirectory.open(name);
        directory.convertTo(wanted);
        if (tokenizer != null) {
            directory.useTokenizer(tokenizer.toString());
        }
        return directory;
    }

    /** Opens the model; shows the progress of loading on a terminal. */
    public TextModel open(Streams streams, boolean quiet) throws IOException {
        return open(streams, quiet, null);
    }

    /**
     * @param fallback the model to open unless --model is on the command line; may be null
     */
    public TextModel open(Streams streams, boolean quiet, String fallback) throws IOException {
        int count = threads();
        String name = fallback == null || modelGiven() ? name() : fallback;
        String chosen = backend();
        if (!ModelDirectory.exists(name) && PullRun.isTerminal(streams)) {
            offerPull(name, streams);
        }
        try (ProgressBar bar = new ProgressBar(streams, "loading")) {
            ModelDirectory directory = directory(name);
            if (!quiet && !chosen.equals("gpu")) {
                MemoryWarning.of(directory, format(), MachineMemory.total()).ifPresent(streams::message);
            }
            TextModel opened = TextModel.open(directory, chosen, count, quiet ? LoadProgress.NONE : loadProgress(bar));
            String warning = opened.recommendedSampling().warning();
            if (warning != null && !quiet) {
                streams.message("xlstm: warning: " + warning);
            }
            return opened;
        }
    }

    /** Asks whether to fetch a model of the hub that is not here; Ctrl-C leaves what the next pull goes on from. */
    private static void offerPull(String name, Streams streams) throws IOException {
        int colon = name.lastIndexOf(':');
        String format = colon < 0 ? null : name.substring(colon + 1);
        try {
            HubName model = HubName.parse(colon < 0 ? name : name.substring(0, colon));
            WeightFormat converted = format == null ? null : WeightFormat.of(format);
            if (PullRun.ask(streams, Streams.visible(name) + " is not here. Fetch it from the Hugging Face hub?")) {
                new PullRun(streams, System.getenv(), false, false).run(model, converted, () -> false);
            }
        } catch (IllegalArgumentException | CancellationException e) {
            // no name on the hub, or not wanted: opening it says what to do
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    public static LoadProgress loadProgress(ProgressBar bar) {
        return (bytes, ofAll) -> bar.show(
                bytes,
                ofAll,
                bytes < ofAll
                        ? ByteSize.text(bytes) + " of " + ByteSize.text(ofAll)
                        : ByteSize.text(ofAll) + "; preparing the device");
    }

    /** Loads weights that do not come from a model directory. */
    public LoadedModel load(XlstmWeights weights, Streams streams) {
        try (ProgressBar bar = new ProgressBar(streams, "loading")) {
            return Backends.load(backend(), weights, threads(), loadProgress(bar));
        }
    }

    public int threads() {
        if (threads < 1) {
            throw new ParameterException(spec.commandLine(), "--threads must be at least 1, not " + threads);
        }
        return threads;
    }

    /** The requested format, or null. */
    public String format() {
        if (format != null && !ModelDirectory.formats().contains(format)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--format must be one of " + String.join(", ", ModelDirectory.formats()) + ", not '" + format
                            + "'");
        }
        return format;
    }

    String backend() {
        if (!new BackendNames().contains(backend)) {
            throw new ParameterException(
                    spec.commandLine(), "--backend must be auto, cpu or gpu, not '" + backend + "'");
        }
        return backend;
    }

    /** The prompt that a chat makes of messages, without the weights. */
    public ChatPrompt chatPrompt(List<Message> messages) throws IOException {
        try (ModelDirectory directory = directory()) {
            return ChatPrompt.of(directory, messages);
        }
    }

    /** The tokenizer alone, without the weights. */
    public Tokenizer tokenizer() throws IOException {
        try (ModelDirectory directory = directory()) {
            return directory.tokenizer().orElseThrow(() -> new IllegalStateException(directory.noTokenizer()));
        }
    }
}
