package dev.xlstm.cli.console;

import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * One line of progress on a terminal, redrawn in place and erased at the end. Appears only when the work takes longer than a
 * delay, and is redrawn at most ten times a second.
 */
public final class StatusLine implements AutoCloseable {

    /** The delay for work that is often done at once. */
    public static final long SHORT_WORK_NANOS = 300_000_000;

    private static final long REDRAW_NANOS = 100_000_000;
    private static final String ERASE = "\r\u001b[K";

    private final Consumer<String> terminal; // null: draws nothing
    private final long start = System.nanoTime();
    private long nextDraw;
    private boolean visible;

    /**
     * @param terminal takes what is drawn; null to draw nothing
     * @param delayNanos how long to wait before the line appears
     */
    public StatusLine(Consumer<String> terminal, long delayNanos) {
        this.terminal = terminal;
        nextDraw = start + delayNanos;
    }

    /** A line on stderr; draws nothing if stderr is not a terminal. */
    public static StatusLine onStderr(Streams streams, long delayNanos) {
        return new StatusLine(streams.errIsTerminal() ? streams::drawOnStderr : null, delayNanos);
    }

    public double seconds() {
        return (System.nanoTime() - start) * 1e-9;
    }

    /** Draws the line, if it is time to. */
    public void show(Supplier<String> text) {
        if (terminal != null && System.nanoTime() >= nextDraw) {
            draw(text.get());
        }
    }

    /** Draws the line now. */
    public void showNow(Supplier<String> text) {
        if (terminal != null) {
            draw(text.get());
        }
    }

    private void draw(String text) {
        nextDraw = System.nanoTime() + REDRAW_NANOS;
        visible = true;
        terminal.accept(ERASE + text);
    }

    /** Erases the line. It may be shown again. */
    public void erase() {
        if (visible) {
            visible = false;
            terminal.accept(ERASE);
        }
    }

    @Override
    public void close() {
        erase();
    }
}
