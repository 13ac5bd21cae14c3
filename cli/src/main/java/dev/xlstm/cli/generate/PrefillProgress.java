package dev.xlstm.cli.generate;

import dev.xlstm.cli.console.Streams;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.TextSession;
import java.util.Locale;

/**
 * Follows the reading of a prompt: a line on stderr where that is a terminal and reading takes long, gone before the text
 * comes; and a warning, once, when the text grows longer than those the model was trained with.
 */
class PrefillProgress implements GenerationListener, AutoCloseable {

    private static final long PATIENCE_NANOS = 300_000_000; // nobody wants to see what is over in a moment
    private static final long REDRAW_NANOS = 100_000_000;
    private static final String ERASE = "\r\u001b[K";

    private final Streams streams;
    private final TextSession session;
    private final boolean drawing;
    private final int trainingContext; // 0 for no warning
    private final long start = System.nanoTime();
    private long drawn = start + PATIENCE_NANOS - REDRAW_NANOS;
    private boolean visible;
    private boolean warned;

    /**
     * @param drawing whether to draw if stderr is a terminal
     * @param trainingContext ids the model saw at once in training; 0 for no warning
     */
    PrefillProgress(Streams streams, TextSession session, boolean drawing, int trainingContext) {
        this.streams = streams;
        this.session = session;
        this.drawing = drawing && streams.errIsTerminal();
        this.trainingContext = trainingContext;
        warned = trainingContext == 0 || session.position() > trainingContext;
    }

    @Override
    public void prefill(int done, int total) {
        if (!warned && session.position() > trainingContext) {
            warned = true;
            close();
            streams.message(String.format(
                    Locale.ROOT,
                    "xlstm: warning: the text is longer than the %,d tokens the model was trained with: it takes no more"
                            + " memory, but much of it may not be recalled",
                    trainingContext));
        }
        long now = System.nanoTime();
        if (drawing && now - drawn >= REDRAW_NANOS) {
            drawn = now;
            visible = true;
            double seconds = (now - start) * 1e-9;
            streams.err()
                    .print(String.format(Locale.ROOT, "%sreading: %,d tokens, %,.0f/s", ERASE, done, done / seconds));
            streams.err().flush();
        }
    }

    /** Leaves the line empty. */
    @Override
    public void close() {
        if (visible) {
            visible = false;
            streams.err().print(ERASE);
            streams.err().flush();
        }
    }
}
