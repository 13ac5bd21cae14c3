package dev.xlstm.generation;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.session.Session;
import java.util.Arrays;

/**
 * Perplexity over windows of fixed length, as it is reported for models with a bounded context: each window is read from an
 * empty state, and of its tokens those count that no window before it has counted. Constant memory.
 */
public final class WindowedPerplexity {

    private final TextModel model;
    private final int context;
    private final int stride;
    private final int[] window; // the last ids, the oldest first
    private int filled;
    private int uncounted; // of these, the last ones
    private double sum;
    private long counted;

    /**
     * @param context ids of a window, at least 2
     * @param stride by how many ids a window begins after the one before, at most {@code context}
     */
    public WindowedPerplexity(TextModel model, int context, int stride) {
        if (context < 2 || stride < 1 || stride > context) {
            throw new BadRequestException(
                    "a window must have at least 2 tokens, and the stride must be between 1 and its length, not "
                            + context + " and " + stride);
        }
        this.model = model;
        this.context = context;
        this.stride = stride;
        window = new int[context];
    }

    /** Takes the next ids of the text. */
    public void accept(int... ids) {
        for (int id : ids) {
            if (filled == context) {
                score();
                System.arraycopy(window, stride, window, 0, context - stride);
                filled -= stride;
            }
            window[filled++] = id;
            uncounted++;
        }
    }

    /** Scores the last window; returns {@code exp(mean of -log p)}, NaN if no token was scored. */
    public double finish() {
        if (uncounted > 0) {
            score();
        }
        return counted == 0 ? Double.NaN : Math.exp(-sum / counted);
    }

    /** How many tokens have been counted. */
    public long tokens() {
        return counted;
    }

    private void score() {
        try (Session session = new Session(model.loaded())) {
            int first = filled - uncounted;
            session.score(Arrays.copyOf(window, filled), (index, logProbability) -> {
                if (index >= first && !Double.isNaN(logProbability)) {
                    sum += logProbability;
                    counted++;
                }
            });
        }
        uncounted = 0;
    }
}
