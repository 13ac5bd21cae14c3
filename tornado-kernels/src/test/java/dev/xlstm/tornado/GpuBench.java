package dev.xlstm.tornado;

import dev.xlstm.backend.LoadProgress;
import dev.xlstm.bench.Bench;
import dev.xlstm.bench.RandomWeights;
import dev.xlstm.error.DoesNotFitException;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.model.XlstmWeights;
import dev.xlstm.session.Session;
import dev.xlstm.tensor.WeightFormat;
import java.lang.foreign.Arena;
import java.util.Locale;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** The table of scripts/gpu-check: random weights of the shapes named, in each format, and what the device makes of them. */
final class GpuBench {

    private static final String[] FORMATS = {"bf16", "q8_0", "q4_0"};
    private static final int COPIES = 10; // in one graph, so that starting it hardly counts

    private GpuBench() {}

    public static void main(String[] shapes) throws Exception {
        new GpuBackend().obstacle().ifPresent(obstacle -> {
            throw new IllegalStateException(obstacle);
        });
        boolean large = Devices.list().getFirst().preferred();
        double bandwidth = copyBandwidth(large ? 1 << 26 : 1 << 22);
        System.out.printf(Locale.ROOT, "Measured copy bandwidth (read and write): %.1f GB/s.%n%n", bandwidth * 1e-9);
        System.out.println("| shape | format | GB a token | load s | launches a token | ms a token | tokens/s"
                + " | share of copy bandwidth | prefill tokens/s |");
        System.out.println("|---|---|---:|---:|---:|---:|---:|---:|---:|");
        for (String shape : shapes) {
            for (String format : FORMATS) {
                System.out.printf("| %s | %s | %s |%n", shape, format, row(shape, format, bandwidth, large));
            }
        }
    }

    private static String row(String shape, String format, double bandwidth, boolean large) {
        XlstmConfig config = RandomWeights.shape(shape);
        try (Arena arena = Arena.ofShared()) {
            XlstmWeights weights = RandomWeights.create(config, WeightFormat.of(format), arena);
            double bytes = Bench.weightBytesPerToken(weights) + Bench.stateBytesPerToken(config);
            long start = System.nanoTime();
            try (GpuModel model = Devices.load(weights, LoadProgress.NONE)) {
                double load = (System.nanoTime() - start) * 1e-9;
                int tokens = large ? 128 : 8;
                decode(model, tokens);
                double[] seconds = new double[5];
                for (int r = 0; r < seconds.length; r++) {
                    seconds[r] = decode(model, tokens);
                }
                double step = Bench.median(seconds) / tokens;
                int prompt = large ? 4 * model.maxRows() : model.maxRows();
                double prefill = prompt / Bench.median(Bench.run(model, prompt, model.maxRows(), 1, 3));
                return String.format(
                        Locale.ROOT,
                        "%.3f | %.1f | %d | %.3f | %.1f | %.0f %% | %.0f",
                        bytes * 1e-9,
                        load,
                        model.launchesPerStep(),
                        step * 1e3,
                        1 / step,
                        100 * bytes / step / bandwidth,
                        prefill);
            }
        } catch (DoesNotFitException e) {
            return e.getMessage();
        }
    }

    /** Seconds to generate tokens, each the most likely one. */
    private static double decode(GpuModel model, int tokens) {
        try (Session session = new Session(model)) {
            session.feed(1);
            long start = System.nanoTime();
            for (int i = 0; i < tokens; i++) {
                session.feed(session.topLogits(1).ids());
            }
            return (System.nanoTime() - start) * 1e-9;
        }
    }

    /** Bytes a second, read and written, of a kernel that copies an array. */
    private static double copyBandwidth(int floats) throws Exception {
        FloatArray from = new FloatArray(floats);
        FloatArray to = new FloatArray(floats);
        TaskGraph graph = new TaskGraph("copies").transferToDevice(DataTransferMode.FIRST_EXECUTION, from, to);
        GridScheduler grids = new GridScheduler();
        for (int i = 0; i < COPIES; i++) {
            graph.task("copy" + i, GpuBench::copy, new KernelContext(), from, to, floats);
            WorkerGrid grid = new WorkerGrid1D(floats);
            grid.setLocalWork(256, 1, 1);
            grids.addWorkerGrid("copies.copy" + i, grid);
        }
        graph.persistOnDevice(to);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            Devices.configure(plan, Devices.chosen());
            plan.withGridScheduler(grids);
            plan.execute();
            double[] seconds = new double[5];
            for (int r = 0; r < seconds.length; r++) {
                long start = System.nanoTime();
                plan.execute();
                seconds[r] = (System.nanoTime() - start) * 1e-9;
            }
            return 2.0 * Float.BYTES * floats * COPIES / Bench.median(seconds);
        }
    }

    private static void copy(KernelContext context, FloatArray from, FloatArray to, int floats) {
        int i = context.globalIdx;
        if (i < floats) {
            to.set(i, from.get(i));
        }
    }
}
