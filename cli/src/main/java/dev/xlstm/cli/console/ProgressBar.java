package dev.xlstm.cli.console;

import java.util.Locale;

/** How far long work has come: one line on stderr, drawn over and over, and only where that is a terminal. */
public final class ProgressBar implements AutoCloseable {

    private static final int WIDTH = 30;
    private static final long REDRAW_NANOS = 100_000_000;
    private static final String ERASE = "\r\u001b[K";

    private final Streams streams;
    private final String title;
    private final long start = System.nanoTime();
    private long drawn = start - REDRAW_NANOS;
    private boolean visible;

    public ProgressBar(Streams streams, String title) {
        this.streams = streams;
        this.title = title;
    }

    /**
     * Draws the bar, unless it did so a moment ago.
     *
     * @param amounts what to say of done and total, such as "1.2 of 3.4 GB"
     */
    public void show(long done, long total, String amounts) {
        long now = System.nanoTime();
        if (!streams.errIsTerminal() || now - drawn < REDRAW_NANOS && done < total) {
            return;
        }
        drawn = now;
        visible = true;
        streams.err().print(ERASE + line(title, done, total, amounts, (now - start) * 1e-9));
        streams.err().flush();
    }

    /** The bar as text; says when it will be done as soon as there is something to go by. */
    static String line(String title, long done, long total, String amounts, double seconds) {
        double share = total == 0 ? 1 : Math.min(1.0, (double) done / total);
        int filled = (int) (WIDTH * share);
        String left = done == 0 || seconds < 1 || done >= total
                ? ""
                : String.format(Locale.ROOT, ", %.0f s left", seconds * (total - done) / done);
        return String.format(
                Locale.ROOT,
                "%s [%s%s] %3.0f %%, %s%s",
                title,
                "#".repeat(filled),
                "-".repeat(WIDTH - filled),
                100 * share,
                amounts,
                left);
    }

    /** Leaves the line empty. */
    @Override
    public void close() {
        if (visible) {
            streams.err().print(ERASE);
            streams.err().flush();
        }
    }
}
