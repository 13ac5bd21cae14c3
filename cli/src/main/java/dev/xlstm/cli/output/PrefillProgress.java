package dev.xlstm.cli.output;

import dev.xlstm.cli.console.StatusLine;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.TextSession;
import java.util.Locale;

/**
 * Shows how many tokens of a prompt have been read: a status line on stderr if reading takes long. Warns once when the text
 * grows longer than the texts the model was trained with.
 */
public class PrefillProgress implements GenerationListener, AutoCloseable {

    private final Streams streams;
    private final TextSession session;
    private final int trainingContext; // 0 for no warning
    private final StatusLine status;
    private boolean warned;

    /**
     * @param drawing whether to draw if stderr is a terminal
     * @param trainingContext the number of tokens of a training text; 0 for no warning
     */
    public PrefillProgress(Streams streams, TextSession session, boolean drawing, int trainingContext) {
        this.streams = streams;
        this.session = session;
        this.trainingContext = trainingContext;
        status = drawing
                ? StatusLine.onStderr(streams, StatusLine.SHORT_WORK_NANOS)
                : new StatusLine(null, StatusLine.SHORT_WORK_NANOS);
        warned = trainingContext == 0 || session.position() > trainingContext;
    }

    @Override
    public void prefill(int done, int total) {
        if (!warned && session.position() > trainingContext) {
            warned = true;
            close();
            streams.message(String.format(
                    Locale.ROOT,
                    "xlstm: warning: the text is longer than the %,d tokens the model was trained with; it takes no more"
                            + " memory, but the model may not recall much of it",
                    trainingContext));
        }
        status.show(() -> String.format(Locale.ROOT, "reading: %,d tokens, %,.0f/s", done, done / status.seconds()));
    }

    /** Erases the status line. */
    @Override
    public void close() {
        status.close();
    }
}
