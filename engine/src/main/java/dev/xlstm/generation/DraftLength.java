package dev.xlstm.generation;

/**
 * Chooses how many guessed ids to verify, from the time that passes take on this machine and the share of guesses that were
 * right. Its choices affect speed only, never the text.
 *
 * <p>With acceptance a, a pass over one certain id and d guesses yields {@code 1 + a + ... + a^d} ids; the best d has the most
 * ids per second. If that is 0, drafting pauses and is tried again rarely.
 */
class DraftLength {

    private static final int[] GUESSES = {0, 1, 3, 7};
    private static final int RETRY = 64; // passes with a guess between two trials of a pause
    private static final double NEWEST = 0.1; // weight of the newest observation in the averages

    private final double[] nanos = new double[GUESSES.length]; // of a pass with so many guesses; 0 if not measured
    private double acceptance = 0.7;
    private int paused; // passes since drafting paused

    /** The number of guesses for the next pass, at most {@code available}. */
    int choose(int available) {
        if (available == 0 || nanos[0] == 0) {
            return 0; // the time of a plain pass is what drafting is compared with
        }
        int best = 0;
        double bestRate = 1 / nanos[0];
        for (int g = 1; g < GUESSES.length && GUESSES[g] <= available; g++) {
            if (nanos[g] == 0) {
                return GUESSES[g]; // measure it
            }
            double rate = expectedIds(GUESSES[g]) / nanos[g];
            if (rate > bestRate) {
                best = g;
                bestRate = rate;
            }
        }
        if (best == 0 && ++paused % RETRY == 0) {
            int g = 1 + paused / RETRY % (GUESSES.length - 1);
            return GUESSES[g] <= available ? GUESSES[g] : GUESSES[1];
        }
        return GUESSES[best];
    }

    private double expectedIds(int guesses) {
        double ids = 1;
        double power = 1;
        for (int i = 0; i < guesses; i++) {
            power *= acceptance;
            ids += power;
        }
        return ids;
    }

    /** Reports the time of a pass. */
    void passed(int guesses, long time) {
        for (int g = 0; g < GUESSES.length; g++) {
            if (GUESSES[g] == guesses) {
                nanos[g] = nanos[g] == 0 ? time : nanos[g] + NEWEST * (time - nanos[g]);
            }
        }
    }

    /** Reports whether a guess was the id that the sampler chose. */
    void guessed(boolean right) {
        acceptance += NEWEST * ((right ? 1 : 0) - acceptance);
    }
}
