package dev.xlstm.tensor;

/**
 * When a vector loop takes over from the scalar loop that gives the same bits. Until the compiler has been over a vector
 * loop each of its vectors is an object, which makes it a hundred times slower than the scalar one: a short text would be
 * over before the kernels run as they are meant to. So work begins with the scalar loop; once that has cost some time, the
 * vector loop is run many times over very little, which gets it compiled as a whole and soon; then a small part of the work
 * goes to it, and when it is seen to be faster it does all.
 *
 * <p>Several threads may share a trial: a measurement that is lost does no harm.
 */
final class Trial {

    /** Scalar work before the first attempt: many a process is done by then. */
    private static final long FIRST_NANOS = 300_000_000;

    /** Calls after which the compiler has taken notice of a method with loops, however short they are. */
    private static final int WARM_UPS = 1000;

    /** The same where the JVM was told to take notice early, as the launcher does. */
    private static final int WARM_UPS_BEFORE_ATTEMPTS = 200;

    private static final int WARM_UPS_AT_ONCE = 50;

    private static final int WINS = 3; // in a row, as a single one may be due to an interruption

    /** Whether any trial is over: then small loops that nobody times may use vectors, too. */
    private static volatile boolean any;

    private static volatile Boolean decided; // for all trials; null to let each take place

    private volatile boolean over;
    private int warmUps;
    private long scalarNanos;
    private double scalarRate = Double.MAX_VALUE; // nanoseconds a weight, the best so far: it is slow itself at first
    private long vectorNanos;
    private int wins;

    static boolean any() {
        return decided == null ? any : decided;
    }

    /** For tests: all loops are vector loops from now on, or scalar ones; null for trials. */
    static void decide(Boolean vectors) {
        decided = vectors;
    }

    /** How often the vector loop is to be run now over very little, its results to be thrown away. */
    int warmUps() {
        if (decided != null || over || warmUps >= WARM_UPS || scalarNanos < FIRST_NANOS) {
            return 0;
        }
        warmUps += WARM_UPS_AT_ONCE;
        return WARM_UPS_AT_ONCE;
    }

    /**
     * How far, of the units of work [from, to), the vector loop is to go now: to the end if the trial is over.
     *
     * @param attempt units that will do for an attempt
     */
    int split(int from, int to, int attempt) {
        Boolean known = decided;
        if (known != null || over) {
            return known == null || known ? to : from;
        }
        boolean due = warmUps >= WARM_UPS_BEFORE_ATTEMPTS && vectorNanos < scalarNanos;
        return due ? Math.min(from + attempt, to) : from;
    }

    /** Whether the scalar loop may still have work to do. */
    boolean mayTakeScalars() {
        return decided == null ? !over : !decided;
    }

    /** The time, 0 once the trial is over. */
    long now() {
        return over ? 0 : System.nanoTime();
    }

    /**
     * Takes note of what the vector loop did from {@code start} to {@code middle} and the scalar loop from there to
     * {@code end}.
     *
     * @param vectorWork weights that the vector loop met, or any other measure of what it did
     * @param scalarWork likewise
     */
    void compare(long vectorWork, long scalarWork, long start, long middle, long end) {
        scalarNanos += end - middle;
        if (scalarWork > 0) {
            scalarRate = Math.min(scalarRate, (double) (end - middle) / scalarWork);
        }
        if (vectorWork > 0) {
            vectorNanos += middle - start;
            boolean faster = middle - start < scalarRate * vectorWork;
            wins = faster ? wins + 1 : 0;
            if (wins == WINS) {
                over = true;
                any = true;
            }
        }
    }
}
