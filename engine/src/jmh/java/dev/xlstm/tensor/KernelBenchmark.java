package dev.xlstm.tensor;

import dev.xlstm.bench.RandomWeights;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Matrix products by one thread: weights met a nanosecond, out of the cache or out of memory, for so many activations. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgs = "--add-modules=jdk.incubator.vector")
public class KernelBenchmark {

    private static final int COLUMNS = 2048;
    private static final int STEP = 128; // rows of a call, as a task has

    @Param({"f32", "f16", "bf16", "q8_0", "q4_0"})
    public String format;

    /** Rows of activations. */
    @Param({"1", "16", "256"})
    public int n;

    /** Rows of weights: 128 stay in the cache, 131,072 do not. */
    @Param({"128", "131072"})
    public int rows;

    private WeightMatrix matrix;
    private PackedActivations x;
    private float[] y;
    private final float[] scratch = new float[WeightMatrix.SCRATCH_FLOATS];
    private int at;

    @Setup
    public void fill() {
        KernelWarmup.force(true);
        matrix = RandomWeights.matrix(rows, COLUMNS, WeightFormat.of(format), Arena.ofAuto());
        x = new PackedActivations(COLUMNS);
        x.addConsumer(matrix);
        float[] data = new float[n * COLUMNS];
        Arrays.fill(data, 0.5f);
        x.begin(data, n);
        for (int group = 0; group < x.groups(); group++) {
            x.pack(group);
        }
        y = new float[n * rows];
    }

    @Benchmark
    @OperationsPerInvocation(STEP * COLUMNS)
    public float[] multiply() {
        matrix.multiply(x, y, at, at + STEP, scratch);
        at = (at + STEP) % rows;
        return y;
    }
}
