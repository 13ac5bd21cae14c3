package dev.xlstm.cli.model;

import dev.xlstm.backend.LoadedModel;
import dev.xlstm.bench.Bench;
import dev.xlstm.bench.MachineLimits;
import dev.xlstm.bench.RandomWeights;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.cli.options.ModelOptions;
import dev.xlstm.cli.options.UsageErrors;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.tensor.WeightFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code xlstm bench}. */
@Command(
        name = "bench",
        description = {
            "Measures how fast a model runs here, and how near that is to what the machine can do.",
            "",
            "Tests are named as llama-bench does: pp512 reads a prompt of 512 tokens, tg64 generates 64, tg64x16 does so"
                    + " for 16 texts at once. Generating is limited by how fast memory can be read, reading a prompt by"
                    + " arithmetic; both limits are measured in the same run."
        },
        optionListHeading = "%nOptions:%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  xlstm bench",
            "  xlstm bench --shape 7b --format q4_0 -n 16 --repetitions 3",
            "  xlstm bench --batch 16 --json | jq '.tests[] | {test, tokens_per_second}'",
        })
public final class BenchCommand implements Callable<Integer> {

    private static final long WARM_UP_NANOS = 4_000_000_000L; // until the compiler is done with the kernels
    private static final int LIMIT_PASSES = 8;
    private static final double GIGA = 1e9;

    enum Layout {
        MD,
        CSV,
        JSON
    }

    @Option(
            names = {"-p", "--prompt-tokens"},
            paramLabel = "N",
            description = "Length of the prompt to read; 0 for no such test. Default: 512")
    private int promptTokens = 512;

    @Option(
            names = {"-n", "--generate"},
            paramLabel = "N",
            description = "Tokens to generate; 0 for no such test. Default: 64")
    private int generate = 64;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "Also generate for N texts at once; 0 for no such test. Default: 0")
    private int batch;

    @Option(
            names = {"-r", "--repetitions"},
            paramLabel = "N",
            description = "Repeat each test; the median counts. Default: 5")
    private int repetitions = 5;

    @Option(
            names = "--shape",
            paramLabel = "SHAPE",
            description = "Measure random weights of a shape, 7b, 1b or demo, instead of a model.")
    private String shape;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "LAYOUT",
            description = "md, csv or json. Default: md")
    private Layout layout = Layout.MD;

    @Option(names = "--json", fallbackValue = "true", description = "The same as -o json.")
    private boolean json;

    @Mixin
    private ModelOptions model;

    @Spec
    private CommandSpec spec;

    private final Streams streams;

    public BenchCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (promptTokens < 0 || generate < 0 || batch < 0 || repetitions < 1) {
            throw new ParameterException(
                    spec.commandLine(), "tokens and batch cannot be negative, and at least one repetition is needed");
        }
        if (promptTokens == 0 && generate == 0) {
            throw new ParameterException(spec.commandLine(), "nothing to measure: -p and -n are both 0");
        }
        BenchReport report = shape == null ? ofModel() : ofShape();
        if (json || layout == Layout.JSON) {
            JsonOutput.print(streams, report::writeJson);
        } else {
            streams.printUntrusted(layout == Layout.CSV ? report.csv() : report.markdown());
        }
        return ExitCode.OK;
    }

    private BenchReport ofModel() throws IOException {
        long start = System.nanoTime();
        try (ModelDirectory directory = model.directory()) {
            XlstmWeights weights = directory.weights();
            return measure(
                    directory.path().toAbsolutePath().normalize().getFileName().toString(), weights, start);
        }
    }

    private BenchReport ofShape() {
        WeightFormat format = model.format() == null ? WeightFormat.BF16 : WeightFormat.of(model.format());
        long start = System.nanoTime();
        XlstmConfig config = UsageErrors.checked(spec, "--shape: ", () -> RandomWeights.shape(shape));
        try (Arena arena = Arena.ofShared()) {
            return measure(shape + " (random)", RandomWeights.create(config, format, arena), start);
        }
    }

    private BenchReport measure(String name, XlstmWeights weights, long start) {
        int threads = model.threads();
        try (LoadedModel loaded = model.load(weights, streams)) {
            double loadSeconds = (System.nanoTime() - start) * 1e-9;
            double firstToken = Bench.run(loaded, 1, 1, 1, 1)[0];
            double[] before = limits(threads);
            List<Timing> timings = new ArrayList<>();
            if (promptTokens > 0) {
                timings.add(time(loaded, "pp" + promptTokens, promptTokens, loaded.maxRows(), 1));
            }
            if (generate > 0) {
                timings.add(time(loaded, "tg" + generate, generate, 1, 1));
            }
            if (generate > 0 && batch > 0) {
                timings.add(time(loaded, "tg" + generate + "x" + batch, generate, 1, batch));
            }
            Runtime runtime = Runtime.getRuntime();
            long heap = runtime.totalMemory() - runtime.freeMemory();
            long resident = residentBytes();
            double[] after = limits(threads);
            BenchReport report = new BenchReport(
                    name,
                    weights.head().matrix().format().toString(),
                    threads,
                    loaded.device(),
                    loadSeconds,
                    firstToken,
                    Bench.weightBytesPerToken(weights),
                    Bench.stateBytesPerToken(weights.config()),
                    heap,
                    resident,
                    Math.max(before[0], after[0]) / GIGA,
                    Math.max(before[1], after[1]) / GIGA);
            for (Timing t : timings) {
                report.add(t.test, t.tokensPerSecond, bytesPerToken(weights, t), flopsPerToken(weights, t));
            }
            return report;
        }
    }

    /** A test's result; each forward pass computed {@code rows} ids for each of {@code sequences} texts. */
    private record Timing(String test, double tokensPerSecond, int rows, int sequences) {}

    private Timing time(LoadedModel loaded, String test, int tokens, int maxRows, int sequences) {
        int chunk = Math.min(maxRows, tokens);
        long start = System.nanoTime();
        do {
            Bench.run(loaded, tokens, chunk, sequences, 1);
        } while (System.nanoTime() - start < WARM_UP_NANOS);
        double seconds = Bench.median(Bench.run(loaded, tokens, chunk, sequences, repetitions));
        return new Timing(test, tokens * sequences / seconds, chunk, sequences);
    }

    /** Every pass reads the weights once, and each text's state. */
    private static double bytesPerToken(XlstmWeights weights, Timing timing) {
        double weightBytes = Bench.weightBytesPerToken(weights);
        double stateBytes = Bench.stateBytesPerToken(weights.config());
        return (weightBytes / timing.sequences + stateBytes) / timing.rows;
    }

    /** Without the mLSTM cell, whose share is small; a prompt's rows do without the head, too. */
    private static double flopsPerToken(XlstmWeights weights, Timing timing) {
        double head =
                2.0 * weights.head().matrix().rows() * weights.head().matrix().columns();
        return Bench.flopsPerToken(weights) + (timing.rows == 1 ? head : 0);
    }

    /** Bytes read and operations done a second at best. */
    private static double[] limits(int threads) {
        try (MachineLimits limits = new MachineLimits(threads)) {
            return new double[] {limits.readBandwidth(LIMIT_PASSES), limits.peakFlops(LIMIT_PASSES)};
        }
    }

    /** Memory of the process, mapped weights included; -1 where the system does not tell. */
    private static long residentBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        } catch (IOException e) {
            // no such file on other systems
        }
        return -1;
    }
}
