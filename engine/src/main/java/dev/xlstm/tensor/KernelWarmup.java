package dev.xlstm.tensor;

/**
 * Switches a kernel from its scalar loop to the bit-identical vector loop once C2 has compiled the latter. Before that,
 * every vector is an object and the vector loop is about a hundred times slower than the scalar one: a short text would be
 * over before the vector kernels run at speed.
 *
 * <p>Work begins with the scalar loop. After some time of it, the vector loop runs many times over very little data, which
 * gets it compiled soon and as a whole. Then a small part of the work goes to the vector loop, and once that was faster
 * three times in a row, the vector loop takes all.
 *
 * <p>One instance serves all matrices of a format, on all threads: a measurement lost in a race does no harm.
 */
final class KernelWarmup {

    /** The two loops of a product for rows of weights [from, to), which give the same bits, and a run to compile the first. */
    interface Loops {

        void vectors(PackedActivations x, float[] y, int from, int to, float[] scratch);

        void scalars(PackedActivations x, float[] y, int from, int to, float[] scratch);

        /** Runs the vector loop once over very little data; may leave anything in the outputs [from, to) of y. */
        void warmUp(PackedActivations x, float[] y, int from, int to, float[] scratch);
    }

    /** Scalar work before the first warm-up run: many processes end before that. */
    private static final long FIRST_NANOS = 300_000_000;

    /** Calls after which the JVM has queued a method with loops for compilation, however short the loops are. */
    private static final int RUNS = 1000;

    /** The same where the launcher has lowered the JVM's thresholds. */
    private static final int RUNS_BEFORE_ATTEMPTS = 200;

    private static final int RUNS_AT_ONCE = 50;

    private static final int WINS = 3; // in a row, as an interruption can decide a single one

    /** Whether any kernel has switched: from then on, small loops that nobody times use vectors, too. */
    private static volatile boolean anySwitched;

    private static volatile Boolean forced; // for tests; null to let each kernel warm up

    private final int attemptRows;
    private volatile boolean switched;
    private int runs;
    private long scalarNanos;
    private double scalarRate =
            Double.MAX_VALUE; // nanoseconds a weight; the best so far, as scalar loops warm up as well
    private long vectorNanos;
    private int wins;

    /** @param attemptRows rows of weights that an attempt of the vector loop takes */
    KernelWarmup(int attemptRows) {
        this.attemptRows = attemptRows;
    }

    /** Whether loops that nobody times should use vectors. */
    static boolean vectorsAreCompiled() {
        Boolean known = forced;
        return known == null ? anySwitched : known;
    }

    /** For tests: all kernels use vector loops from now on, or scalar ones; null lets them warm up. */
    static void force(Boolean vectors) {
        forced = vectors;
    }

    /** Whether {@link #run} may still call the scalar loop. */
    boolean mayUseScalars() {
        Boolean known = forced;
        return known == null ? !switched : !known;
    }

    /**
     * Computes the rows [from, to) with whichever loops are due.
     *
     * @param columns of the weights
     */
    void run(Loops loops, PackedActivations x, float[] y, int from, int to, int columns, float[] scratch) {
        if (!mayUseScalars()) {
            loops.vectors(x, y, from, to, scratch);
        } else if (forced != null) {
            loops.scalars(x, y, from, to, scratch);
        } else {
            compare(loops, x, y, from, to, columns, scratch);
        }
    }

    private void compare(Loops loops, PackedActivations x, float[] y, int from, int to, int columns, float[] scratch) {
        if (runs < RUNS && scalarNanos >= FIRST_NANOS) {
            for (int i = 0; i < RUNS_AT_ONCE; i++) {
                loops.warmUp(x, y, from, to, scratch);
            }
            runs += RUNS_AT_ONCE;
        }
        boolean due = runs >= RUNS_BEFORE_ATTEMPTS && vectorNanos < scalarNanos;
        int split = due ? Math.min(from + attemptRows, to) : from;
        long start = System.nanoTime();
        if (split > from) {
            loops.vectors(x, y, from, split, scratch);
        }
        long middle = System.nanoTime();
        if (split < to) {
            loops.scalars(x, y, split, to, scratch);
        }
        long end = System.nanoTime();
        long weights = (long) x.rows() * columns; // of each row
        scalarNanos += end - middle;
        if (split < to) {
            scalarRate = Math.min(scalarRate, (double) (end - middle) / ((to - split) * weights));
        }
        if (split > from) {
            vectorNanos += middle - start;
            boolean faster = middle - start < scalarRate * (split - from) * weights;
            wins = faster ? wins + 1 : 0;
            if (wins == WINS) {
                switched = true;
                anySwitched = true;
            }
        }
    }
}
