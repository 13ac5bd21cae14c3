package dev.xlstm.bench;

import dev.xlstm.tensor.Simd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import jdk.incubator.vector.FloatVector;

import static dev.xlstm.tensor.Simd.F32;
import static dev.xlstm.tensor.Simd.LANES;

/** The two limits of a forward pass, measured: how fast memory can be read and how fast numbers can be multiplied. */
public final class MachineLimits implements AutoCloseable {

    /** Bytes each thread reads in one pass: far above what caches hold. */
    private static final long BYTES_PER_THREAD = 512L << 20;

    private static final long STRETCH = 1 << 20; // bytes of a loop that the compiler gets to see whole
    private static final long STRIDE = 16L * LANES; // bytes that the four streams of a read take at a step
    private static final long PIECE = 4 << 20; // bytes between two looks at the clock
    private static final long RATE_NANOS = 100_000_000;
    private static final double LEAST_RATE = 1e9; // below it the loop has not been compiled yet
    private static final long MOST_NANOS = 3_000_000_000L;

    private static final int FMA_ROUNDS = 1 << 22;
    private static final int FMA_CHAINS = 12; // enough to keep two multipliers of four cycles busy

    private final int threads;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment[] memory;
    private volatile float sink; // keeps results alive

    public MachineLimits(int threads) {
        this.threads = threads;
        memory = new MemorySegment[threads];
    }

    /** The best of {@code passes} reads of large arrays by all threads at once, in bytes a second. */
    public double readBandwidth(int passes) {
        double best = 0;
        for (int pass = 0; pass < passes; pass++) {
            double seconds = onAllThreads(t -> {
                if (memory[t] == null) {
                    memory[t] = arena.allocate(BYTES_PER_THREAD, 64).fill((byte) 1);
                }
                sink = read(memory[t], 0, BYTES_PER_THREAD);
            });
            best = Math.max(best, threads * BYTES_PER_THREAD / seconds);
        }
        return best;
    }

    /** The best of {@code passes} rounds of independent fused multiply-adds in registers, in operations a second (two each). */
    public double peakFlops(int passes) {
        double best = 0;
        for (int pass = 0; pass < passes; pass++) {
            double seconds = onAllThreads(t -> sink = multiplyAdd(FMA_ROUNDS));
            best = Math.max(best, 2.0 * threads * FMA_ROUNDS * FMA_CHAINS * LANES / seconds);
        }
        return best;
    }

    private interface Work {
        void run(int thread);
    }

    /** Seconds from the common start of all threads to the end of the last. */
    private double onAllThreads(Work work) {
        long[] ends = new long[threads];
        CountDownLatch ready = new CountDownLatch(threads);
        CountDownLatch start = new CountDownLatch(1);
        Thread[] workers = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int thread = t;
            workers[t] = new Thread(() -> {
                ready.countDown();
                try {
                    start.await();
                } catch (InterruptedException e) {
                    return;
                }
                work.run(thread);
                ends[thread] = System.nanoTime();
            });
            workers[t].start();
        }
        try {
            ready.await();
            long begin = System.nanoTime();
            start.countDown();
            long end = begin;
            for (int t = 0; t < threads; t++) {
                workers[t].join();
                end = Math.max(end, ends[t]);
            }
            return (end - begin) * 1e-9;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while measuring", e);
        }
    }

    /**
     * The rate at which all threads together read memory over and over and do nothing else, in bytes a second. Of the weights
     * of a model it is the limit of decoding: for one that fits in the caches, theirs. Takes about half a second.
     *
     * @param data is shared among the threads, part by part
     * @param seen a rate that has been reached in other work
     * @return 0 if it stays below that for three seconds, as on a machine that is busy with other work
     */
    public double readRate(List<MemorySegment> data, double seen) {
        double least = Math.max(seen, LEAST_RATE);
        double best = 0;
        int steady = 0;
        long end = System.nanoTime() + MOST_NANOS;
        while ((steady < 3 || best < least) && System.nanoTime() < end) {
            double[] rates = new double[threads];
            onAllThreads(t -> rates[t] = readRate(data, t));
            double rate = Arrays.stream(rates).sum();
            steady = rate > 1.05 * best ? 0 : steady + 1;
            best = Math.max(best, rate);
        }
        return best < least ? 0 : best;
    }

    /** Of one thread, for a tenth of a second. */
    private double readRate(List<MemorySegment> data, int thread) {
        long begin = System.nanoTime();
        long bytes = 0;
        while (true) {
            for (MemorySegment part : data) {
                long share = part.byteSize() / threads & -STRIDE;
                for (long at = 0; at < share; at += PIECE) {
                    long piece = Math.min(PIECE, share - at);
                    sink = read(part, thread * share + at, piece);
                    bytes += piece;
                    long nanos = System.nanoTime() - begin;
                    if (nanos > RATE_NANOS) {
                        return bytes / (nanos * 1e-9);
                    }
                }
            }
        }
    }

    /**
     * Four streams at once, as the kernels read four rows.
     *
     * @param bytes a multiple of {@link #STRIDE}
     */
    private static float read(MemorySegment m, long from, long bytes) {
        long quarter = bytes / 4;
        long p0 = from, p1 = p0 + quarter, p2 = p1 + quarter, p3 = p2 + quarter;
        FloatVector s0 = FloatVector.zero(F32), s1 = s0, s2 = s0, s3 = s0;
        int step = 4 * LANES;
        for (long at = 0; at < quarter; at += STRETCH) {
            int end = (int) Math.min(STRETCH, quarter - at);
            for (int i = 0; i < end; i += step) {
                s0 = s0.add(FloatVector.fromMemorySegment(F32, m, p0 + at + i, ByteOrder.LITTLE_ENDIAN));
                s1 = s1.add(FloatVector.fromMemorySegment(F32, m, p1 + at + i, ByteOrder.LITTLE_ENDIAN));
                s2 = s2.add(FloatVector.fromMemorySegment(F32, m, p2 + at + i, ByteOrder.LITTLE_ENDIAN));
                s3 = s3.add(FloatVector.fromMemorySegment(F32, m, p3 + at + i, ByteOrder.LITTLE_ENDIAN));
            }
        }
        return Simd.sum(s0.add(s1).add(s2.add(s3)));
    }

    private static float multiplyAdd(int rounds) {
        FloatVector a = FloatVector.broadcast(F32, 0.999f);
        FloatVector b = FloatVector.broadcast(F32, 1e-3f);
        FloatVector s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b, s6 = b, s7 = b, s8 = b, s9 = b, s10 = b, s11 = b;
        for (int i = 0; i < rounds; i++) {
            s0 = s0.fma(a, b);
            s1 = s1.fma(a, b);
            s2 = s2.fma(a, b);
            s3 = s3.fma(a, b);
            s4 = s4.fma(a, b);
            s5 = s5.fma(a, b);
            s6 = s6.fma(a, b);
            s7 = s7.fma(a, b);
            s8 = s8.fma(a, b);
            s9 = s9.fma(a, b);
            s10 = s10.fma(a, b);
            s11 = s11.fma(a, b);
        }
        FloatVector even = s0.add(s2).add(s4.add(s6)).add(s8.add(s10));
        FloatVector odd = s1.add(s3).add(s5.add(s7)).add(s9.add(s11));
        return Simd.sum(even.add(odd));
    }

    @Override
    public void close() {
        arena.close();
    }
}
