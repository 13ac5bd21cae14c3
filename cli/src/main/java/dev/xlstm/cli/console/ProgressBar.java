package dev.xlstm.cli.console;

import java.util.Locale;
import java.util.function.Supplier;

/** The progress of long work as a bar on stderr; draws nothing if stderr is not a terminal. */
public final class ProgressBar implements AutoCloseable {

    private static final int WIDTH = 30;

    private final StatusLine status;
    private final String title;

    public ProgressBar(Streams streams, String title) {
        status = StatusLine.onStderr(streams, 0);
        this.title = title;
    }

    /**
     * Draws the bar, if it is time to; always at the end.
     *
     * @param amounts what to show of done and total, such as "1.2 of 3.4 GB"
     */
    public void show(long done, long total, String amounts) {
        Supplier<String> line = () -> line(title, done, total, amounts, status.seconds());
        if (done < total) {
            status.show(line);
        } else {
            status.showNow(line);
        }
    }

    /** The bar as text; estimates the remaining time after a second. */
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

    @Override
    public void close() {
        status.close();
    }
}
