package dev.xlstm.cli.model;

import dev.xlstm.backend.LoadedModel;
import dev.xlstm.bench.Bench;
import dev.xlstm.bench.MachineLimits;
import dev.xlstm.bench.RandomWeights;
import dev.xlstm.cli.console.ExitCode;
import dev.xlstm.cli.console.JsonOutput;
import dev.xlstm.cli.console.ProgressBar;
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
            "Measures the speed of a model and compares it with the limits of the machine.",
            "",
            "Test names follow llama-bench: pp512 reads a prompt of 512 tokens, tg64 generates 64 tokens, tg64x16 generates"
                    + " 64 tokens of 16 texts at once. Memory bandwidth limits generation, arithmetic limits reading a"
                    + " prompt; both limits are measured in the same run."
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

    private static final long WARM_UP_NANOS = 4_000_000_000L; // until C2 has compiled the kernels
    private static final int LIMIT_PASSES = 8;
    private static final int STEPS = 5; // of the progress bar
    private static final double GIGA = 1e9;

    enum Layout {
        TABLE,
        MD,
        CSV,
        JSON
    }

    @Option(
            names = {"-p", "--prompt-tokens"},
            paramLabel = "N",
            description = "Length of the prompt to read; 0 to skip the test. Default: 512")
    private int promptTokens = 512;

    @Option(
            names = {"-n", "--generate"},
            paramLabel = "N",
            description = "Tokens to generate; 0 to skip the test. Default: 64")
    private int generate = 64;

    @Option(
            names = "--batch",
            paramLabel = "N",
            description = "Also generate N texts at once; 0 to skip the test. Default: 0")
    private int batch;

    @Option(
            names = {"-r", "--repetitions"},
            paramLabel = "N",
            description = "Runs of each test; the median is printed. Default: 5")
    private int repetitions = 5;

    @Option(
            names = "--shape",
            paramLabel = "SHAPE",
            description = "Measure random weights of this shape (7b, 1b or demo) instead of a model.")
    private String shape;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "LAYOUT",
            description = "table (aligned), md, csv or json. Default: table on a terminal, md elsewhere")
    private Layout layout;

    @Option(names = "--json", fallbackValue = "true", description = "Same as -o json.")
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
        Layout chosen = json ? Layout.JSON : layout;
        if (chosen == null) {
            chosen = streams.outIsTerminal() ? Layout.TABLE : Layout.MD;
        }
        switch (chosen) {
            case JSON -> JsonOutput.print(streams, report::writeJson);
            case CSV -> streams.printUntrusted(report.csv());
            case MD -> streams.printUntrusted(report.markdown());
            case TABLE -> streams.printUntrusted(report.table());
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
        try (LoadedModel loaded = model.load(weights, streams);
                ProgressBar progress = new ProgressBar(streams, "bench")) {
            double loadSeconds = (System.nanoTime() - start) * 1e-9;
            double firstToken = Bench.run(loaded, 1, 1, 1, 1)[0];
            progress.show(0, STEPS, "memory and arithmetic");
            double[] before = limits(threads);
            List<Timing> timings = new ArrayList<>();
            if (promptTokens > 0) {
                progress.show(1, STEPS, "prompt");
                timings.add(time(loaded, "pp" + promptTokens, promptTokens, loaded.maxRows(), 1));
            }
            if (generate > 0) {
                progress.show(2, STEPS, "generating");
                timings.add(time(loaded, "tg" + generate, generate, 1, 1));
            }
            if (generate > 0 && batch > 0) {
                progress.show(3, STEPS, batch + " texts at once");
                timings.add(time(loaded, "tg" + generate + "x" + batch, generate, 1, batch));
            }
            progress.show(4, STEPS, "memory and arithmetic");
            Runtime runtime = Runtime.getRuntime();
            long heap = runtime.totalMemory() - runtime.freeMemory();
            long resident = residentBytes();
            double[] after = limits(threads);
            BenchReport report = new BenchReport(
                    name,
                    weights.head().matrix().format().toString(),
                    threads,
                    loaded.device(),
                    new BenchReport.StartUp(loadSeconds, firstToken),
                    new BenchReport.Bytes(
                            Bench.weightBytesPerToken(weights),
                            Bench.stateBytesPerToken(weights.config()),
                            heap,
                            resident),
                    new BenchReport.MachineSpeed(
                            before[0] / GIGA, after[0] / GIGA, Math.max(before[1], after[1]) / GIGA));
            for (Timing t : timings) {
                report.add(t.test, t.tokensPerSecond, bytesPerToken(weights, t), flopsPerToken(weights, t));
            }
            return report;
        }
    }

    /** The result of a test. Each forward pass computed {@code rows} ids of each of {@code sequences} texts. */
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

    /** Each pass reads the weights once, and the state of each text. */
    private static double bytesPerToken(XlstmWeights weights, Timing timing) {
        double weightBytes = Bench.weightBytesPerToken(weights);
        double stateBytes = Bench.stateBytesPerToken(weights.config());
        return (weightBytes / timing.sequences + stateBytes) / timing.rows;
    }

    /** Excludes the mLSTM cell, whose share is small, and for the rows of a prompt also the head, which they skip. */
    private static double flopsPerToken(XlstmWeights weights, Timing timing) {
        double head =
                2.0 * weights.head().matrix().rows() * weights.head().matrix().columns();
        return Bench.flopsPerToken(weights) + (timing.rows == 1 ? head : 0);
    }

    /** The highest read bandwidth in bytes per second, and the highest FLOP/s. */
    private static double[] limits(int threads) {
        try (MachineLimits limits = new MachineLimits(threads)) {
            return new double[] {limits.readBandwidth(LIMIT_PASSES), limits.peakFlops(LIMIT_PASSES)};
        }
    }

    /** Resident memory of the process, including mapped weights; -1 if the system does not report it. */
    private static long residentBytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmRSS:")) {
                    return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
                }
            }
        } catch (IOException e) {
            // only Linux has /proc
        }
        return -1;
    }
}
