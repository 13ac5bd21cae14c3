package dev.xlstm.cli.model;

import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.generation.RecommendedSampling;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.SpecialTokens;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.safetensors.Tensor;
import dev.xlstm.session.StateFile;
import dev.xlstm.tokenizer.Tokenizer;
import dev.xlstm.tokenizer.TokenizerException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.core.JsonGenerator;

/** {@code xlstm inspect}. */
@Command(
        name = "inspect",
        description =
                "Shows the structure of a model and the memory it needs, or the content of a state file. Checks the files, but not"
                        + " the values of weights.",
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm inspect",
            "  xlstm inspect --tensors ~/models/xLSTM-7b",
            "  xlstm inspect book.state",
            "  xlstm inspect --json | jq .parameters",
        })
public final class InspectCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "PATH",
            description = "A model, as for --model, or a state file. Default: the model of --model")
    private Path path;

    @Option(names = "--tensors", fallbackValue = "true", description = "Also list every tensor; --json always does.")
    private boolean listTensors;

    @Option(names = "--json", fallbackValue = "true", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private ModelOptions model;

    @Spec
    private CommandSpec spec;

    private final Streams streams;

    public InspectCommand(Streams streams) {
        this.streams = streams;
    }

    /** What the command prints. */
    private record Facts(
            Path path,
            XlstmConfig config,
            Collection<Tensor> tensors,
            List<String> unused,
            List<String> remarks,
            Tokens tokens,
            int trainingContext) {

        long parameters() {
            return tensors.stream().mapToLong(Tensor::elementCount).sum();
        }

        long weightBytes() {
            return tensors.stream().mapToLong(t -> t.data().byteSize()).sum();
        }

        /** What one session keeps in memory: the mapped weights and its state. */
        long memoryBytes() {
            return weightBytes() + config.stateBytes();
        }

        /** Parameters by type of element. */
        Map<String, Long> types() {
            Map<String, Long> types = new TreeMap<>();
            tensors.forEach(t -> types.merge(t.dtype().toString(), t.elementCount(), Long::sum));
            return types;
        }
    }

    /**
     * The tokens of the model.
     *
     * @param vocabulary the size of the tokenizer; empty without one
     * @param tokenizerProblem why the tokenizer cannot be used; null if it can
     */
    private record Tokens(
            SpecialTokens special,
            RecommendedSampling recommended,
            OptionalInt vocabulary,
            String tokenizerProblem,
            boolean chatTemplate) {}

    @Override
    public Integer call() throws IOException {
        if (path != null && model.modelGiven()) {
            throw new ParameterException(spec.commandLine(), "give PATH or --model, not both");
        }
        if (path != null && Files.isRegularFile(path)) {
            Optional<StateFile.Description> state = StateFile.describe(path);
            if (state.isPresent()) {
                new StateDescription(path, state.get()).print(streams, json);
                return ExitCode.OK;
            }
        }
        try (ModelDirectory directory = path == null ? model.directory() : model.directory(path.toString())) {
            directory.weights(); // checks every shape
            OptionalInt tokens = OptionalInt.empty();
            String problem = null;
            try {
                Optional<Tokenizer> tokenizer = directory.tokenizer();
                tokens = tokenizer.isPresent() ? OptionalInt.of(tokenizer.get().vocabSize()) : tokens;
            } catch (TokenizerException e) {
                problem = e.getMessage();
            }
            Facts facts = new Facts(
                    directory.path(),
                    directory.config(),
                    directory.checkpoint().tensors().values(),
                    directory.unusedTensors(),
                    remarks(directory),
                    new Tokens(
                            directory.specialTokens(),
                            RecommendedSampling.of(directory.generationConfig()),
                            tokens,
                            problem,
                            directory.tokenizerConfig().chatTemplate().isPresent()),
                    directory.trainingContext());
            if (json) {
                printJson(facts);
            } else {
                streams.printUntrusted(table(facts));
            }
            return ExitCode.OK;
        }
    }

    private static List<String> remarks(ModelDirectory directory) throws IOException {
        List<String> remarks = new ArrayList<>(directory.remarks());
        String warning = RecommendedSampling.of(directory.generationConfig()).warning();
        if (warning != null) {
            remarks.add(warning);
        }
        return remarks;
    }

    private String table(Facts facts) {
        XlstmConfig config = facts.config;
        StringBuilder table = new StringBuilder();
        row(table, "model", facts.path.toString());
        new StackDescription(config).rows().forEach((name, text) -> row(table, name, text));
        row(
                table,
                "parameters",
                "%,d in %d tensors (%s)",
                facts.parameters(),
                facts.tensors.size(),
                facts.types().entrySet().stream()
                        .map(type -> String.format(Locale.ROOT, "%s %,d", type.getKey(), type.getValue()))
                        .collect(Collectors.joining(", ")));
        row(table, "weights", ByteSize.text(facts.weightBytes()));
        row(table, "state", "%s per session, whatever the length of its text", ByteSize.text(config.stateBytes()));
        row(table, "memory needed", "%s, plus the JVM", ByteSize.text(facts.memoryBytes()));
        row(table, "trained on", "texts of %,d tokens", facts.trainingContext);
        row(table, "vocabulary", "%,d rows, %s", config.vocabSize(), tokenizer(facts));
        row(table, "begins with", begin(facts.tokens.special));
        row(table, "ends with", end(facts.tokens.special));
        row(table, "sampling", sampling(facts.tokens.recommended));
        row(table, "chat template", facts.tokens.chatTemplate ? "yes" : "none");
        if (!facts.unused.isEmpty()) {
            row(table, "unused", String.join(", ", facts.unused));
        }
        facts.remarks.forEach(remark -> row(table, "note", remark));
        if (listTensors) {
            table.append('\n');
            int width = facts.tensors.stream()
                    .mapToInt(t -> t.name().length())
                    .max()
                    .orElse(0);
            for (Tensor tensor : facts.tensors) {
                String shape =
                        LongStream.of(tensor.shape()).mapToObj(Long::toString).collect(Collectors.joining(" x "));
                table.append(String.format(
                        Locale.ROOT, "%-" + width + "s  %-4s  %s%n", tensor.name(), tensor.dtype(), shape));
            }
        }
        return table.toString();
    }

    private static void row(StringBuilder table, String name, String format, Object... values) {
        String value = values.length == 0 ? format : String.format(Locale.ROOT, format, values);
        table.append(String.format(Locale.ROOT, "%-15s%s%n", name, value));
    }

    private static String tokenizer(Facts facts) {
        return facts.tokens.vocabulary.isEmpty()
                ? facts.tokens.tokenizerProblem == null
                        ? "no tokenizer: ids only"
                        : "a tokenizer that cannot be used: " + facts.tokens.tokenizerProblem
                : String.format(Locale.ROOT, "tokenizer of %,d", facts.tokens.vocabulary.getAsInt());
    }

    private static String begin(SpecialTokens special) {
        if (special.bos().isEmpty()) {
            return "no token";
        }
        return "id " + special.bos().getAsInt()
                + (special.prependBos() ? ", prepended to every prompt" : ", not prepended");
    }

    private static String end(SpecialTokens special) {
        String ids = special.ends().isEmpty() ? "no token" : withSettings(special.ends());
        return special.doubtful().isEmpty()
                ? ids
                : ids + "; not with " + withSettings(special.doubtful())
                        + ": ordinary text to the tokenizer (--stop-id ends there, too)";
    }

    /** {@code id 0 (config.json eos_token_id), id 4 (...)}. */
    private static String withSettings(SortedMap<Integer, List<String>> ids) {
        return ids.entrySet().stream()
                .map(entry -> "id " + entry.getKey() + " (" + String.join(", ", entry.getValue()) + ")")
                .collect(Collectors.joining(", "));
    }

    private static String sampling(RecommendedSampling recommended) {
        return recommended.values().isEmpty()
                ? "no advice: the defaults of the flags"
                : recommended.values().entrySet().stream()
                                .map(entry -> entry.getKey().flag() + " "
                                        + entry.getKey().format(entry.getValue()))
                                .collect(Collectors.joining(", "))
                        + " (generation_config.json)";
    }

    /** {@code [{"id": 4, "settings": ["generation_config.json eos_token_id"]}]}. */
    private static void writeEnds(JsonGenerator out, String name, SortedMap<Integer, List<String>> ids) {
        out.writeArrayPropertyStart(name);
        ids.forEach((id, settings) -> {
            out.writeStartObject();
            out.writeNumberProperty("id", id);
            out.writeArrayPropertyStart("settings");
            settings.forEach(out::writeString);
            out.writeEndArray();
            out.writeEndObject();
        });
        out.writeEndArray();
    }

    private void printJson(Facts facts) {
        XlstmConfig config = facts.config;
        JsonOutput.print(streams, out -> {
            out.writeStringProperty("path", facts.path.toString());
            out.writeObjectPropertyStart("config");
            new StackDescription(config).writeConfig(out);
            out.writeEndObject();
            out.writeNumberProperty("parameters", facts.parameters());
            out.writeNumberProperty("weight_bytes", facts.weightBytes());
            out.writeNumberProperty("state_bytes", config.stateBytes());
            new StackDescription(config).writeState(out);
            out.writeNumberProperty("memory_bytes", facts.memoryBytes());
            out.writeNumberProperty("training_context", facts.trainingContext);
            JsonOutput.integer(out, "tokenizer_size", facts.tokens.vocabulary);
            if (facts.tokens.tokenizerProblem != null) {
                out.writeStringProperty("tokenizer_problem", facts.tokens.tokenizerProblem);
            }
            out.writeBooleanProperty("chat_template", facts.tokens.chatTemplate);
            out.writeName("bos_id");
            JsonOutput.number(
                    out,
                    facts.tokens.special.bos().stream()
                            .asDoubleStream()
                            .findFirst()
                            .orElse(Double.NaN));
            out.writeBooleanProperty("prepends_bos", facts.tokens.special.prependBos());
            JsonOutput.ids(out, "stop_ids", sortedArray(facts.tokens.special.stopIds()));
            writeEnds(out, "end_of_text", facts.tokens.special.ends());
            writeEnds(out, "not_end_of_text", facts.tokens.special.doubtful());
            out.writeObjectPropertyStart("sampling");
            facts.tokens
                    .recommended
                    .values()
                    .forEach((parameter, value) -> out.writeNumberProperty(parameter.jsonName(), value));
            out.writeEndObject();
            out.writeArrayPropertyStart("tensors");
            for (Tensor tensor : facts.tensors) {
                out.writeStartObject();
                out.writeStringProperty("name", tensor.name());
                out.writeStringProperty("dtype", tensor.dtype().toString());
                out.writeName("shape");
                out.writeArray(tensor.shape(), 0, tensor.shape().length);
                out.writeEndObject();
            }
            out.writeEndArray();
            out.writeArrayPropertyStart("unused_tensors");
            facts.unused.forEach(out::writeString);
            out.writeEndArray();
            out.writeArrayPropertyStart("notes");
            facts.remarks.forEach(out::writeString);
            out.writeEndArray();
        });
    }

    private static int[] sortedArray(Collection<Integer> ids) {
        return ids.stream().flatMapToInt(IntStream::of).sorted().toArray();
    }
}
