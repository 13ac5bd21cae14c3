package dev.xlstm.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Tries a target: each input is to be taken or refused, in bounded time and memory. Inputs that are refused in a way not
 * seen before are gone on from, so that it gets past one check after the other.
 */
final class Fuzzer {

    /** Processor time of one input. */
    static final long MAX_NANOS = 5_000_000_000L;

    /** Bytes allocated on the heap for one input, over all, though most be free again. */
    static final long MAX_ALLOCATED = 1L << 30;

    /** Elapsed time after which an input is taken to hang. */
    static final long HANG_MILLIS = 60_000;

    private static final int MAX_INPUT = 2 << 20;
    private static final int MAX_CORPUS = 400;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /**
     * What went wrong.
     *
     * @param kind the same for the same fault, as far as one can tell
     */
    record Finding(String kind, byte[] input, Throwable thrown) {}

    private final FuzzTarget target;
    private final Random random;
    private final List<byte[]> corpus;
    private final Set<String> outcomes = new HashSet<>();
    private final List<Finding> findings = new ArrayList<>();
    private final Set<String> kinds = new HashSet<>();
    private long executions;

    Fuzzer(FuzzTarget target, long seed) {
        this.target = target;
        this.random = new Random(seed);
        this.corpus = new ArrayList<>(target.seeds());
    }

    long executions() {
        return executions;
    }

    /** Different ways in which inputs were refused; and one, if some were taken. */
    int outcomes() {
        return outcomes.size();
    }

    List<Finding> findings() {
        return findings;
    }

    /** Tries the corpus as it is, then mutations of it as long as {@code more} says so. */
    void run(BooleanSupplier more) throws InterruptedException {
        for (byte[] input : List.copyOf(corpus)) {
            tryOut(input);
        }
        int longest =
                target.seeds().stream().mapToInt(seed -> seed.length).max().orElse(0);
        while (more.getAsBoolean()) {
            byte[] input = corpus.get(random.nextInt(corpus.size()));
            byte[] other = corpus.get(random.nextInt(corpus.size()));
            byte[] changed = target.mutator().mutate(input, other, random);
            if (changed.length > MAX_INPUT) {
                continue;
            }
            if (tryOut(changed) && corpus.size() < MAX_CORPUS && changed.length <= longest + (1 << 14)) {
                corpus.add(changed);
            }
        }
    }

    /** Whether the outcome is a new one. */
    private boolean tryOut(byte[] input) throws InterruptedException {
        executions++;
        Attempt attempt = attempt(input);
        if (attempt.problem != null && kinds.add(attempt.problem)) {
            findings.add(new Finding(attempt.problem, smallest(input, attempt.problem), attempt.thrown));
        }
        return outcomes.add(attempt.outcome());
    }

    /** One input tried in a thread of its own, with the stack that main has. */
    private final class Attempt extends Thread {
        private final byte[] input;
        private Throwable thrown;
        private String problem;
        private long nanos;
        private long allocated;

        Attempt(byte[] input) {
            this.input = input;
            setDaemon(true);
        }

        @Override
        public void run() {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            long since = THREADS.getCurrentThreadCpuTime();
            try {
                target.reader().read(input.clone());
            } catch (Throwable e) {
                thrown = e;
            }
            nanos = THREADS.getCurrentThreadCpuTime() - since;
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            problem = problem(thrown);
            if (problem == null && nanos > MAX_NANOS) {
                problem = "slow: more than " + MAX_NANOS / 1_000_000_000 + " s";
            }
            if (problem == null && allocated > MAX_ALLOCATED) {
                problem = "allocates more than " + (MAX_ALLOCATED >> 20) + " MiB";
            }
        }

        /** The refusal without what differs from input to input: quoted names and numbers. */
        private String outcome() {
            return thrown == null
                    ? "taken"
                    : thrown.getClass().getSimpleName()
                            + String.valueOf(thrown.getMessage())
                                    .replaceAll("'[^']*'|\"[^\"]*\"|/\\S+|[0-9][0-9.e+-]*", "#")
                                    .replaceAll("(#\\W*)+", "#");
        }
    }

    private Attempt attempt(byte[] input) throws InterruptedException {
        Attempt attempt = new Attempt(input);
        attempt.start();
        attempt.join(HANG_MILLIS);
        if (attempt.isAlive()) {
            Throwable where = new Throwable("still running");
            where.setStackTrace(attempt.getStackTrace());
            Attempt hanging = new Attempt(input);
            hanging.problem = "hang";
            hanging.thrown = where;
            return hanging;
        }
        return attempt;
    }

    /**
     * What is wrong with a refusal, null if nothing is: it has to be of a type this project made for it, or an IOException,
     * and to say something.
     */
    static String problem(Throwable thrown) {
        if (thrown == null) {
            return null;
        }
        boolean meant = thrown.getClass().getName().startsWith("dev.xlstm.") || thrown.getClass() == IOException.class;
        if (!meant) {
            StackTraceElement[] trace = thrown.getStackTrace();
            String where = Arrays.stream(trace)
                    .filter(frame -> frame.getClassName().startsWith("dev.xlstm.")
                            && !frame.getClassName().startsWith("dev.xlstm.fuzz."))
                    .map(frame -> frame.getClassName() + "." + frame.getMethodName())
                    .findFirst()
                    .orElse("");
            return thrown.getClass().getName() + (thrown instanceof StackOverflowError ? "" : " in " + where);
        }
        boolean says = thrown.getMessage() != null && !thrown.getMessage().isBlank();
        return says ? null : thrown.getClass().getSimpleName() + " without a message";
    }

    /** A smaller input with the same problem, by leaving out one piece after the other; no search for hangs. */
    private byte[] smallest(byte[] input, String problem) throws InterruptedException {
        byte[] best = input;
        if (problem.startsWith("hang") || problem.startsWith("slow")) {
            return best;
        }
        int tries = 0;
        for (int piece = Math.max(1, best.length / 2); piece > 0 && tries < 400; piece /= 2) {
            for (int at = 0; at + piece <= best.length && tries < 400; ) {
                byte[] less = new byte[best.length - piece];
                System.arraycopy(best, 0, less, 0, at);
                System.arraycopy(best, at + piece, less, at, less.length - at);
                tries++;
                if (problem.equals(attempt(less).problem)) {
                    best = less;
                } else {
                    at += piece;
                }
            }
        }
        return best;
    }
}
