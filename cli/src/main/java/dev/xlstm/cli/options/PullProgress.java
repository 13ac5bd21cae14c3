package dev.xlstm.cli.options;

import dev.xlstm.cli.console.ByteSize;
import dev.xlstm.cli.console.ProgressBar;
import dev.xlstm.cli.console.Streams;
import dev.xlstm.hub.RemoteFile;
import dev.xlstm.model.ModelPull;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** What a pull shows on stderr: one bar for all files on a terminal, a line for each file elsewhere. */
final class PullProgress implements ModelPull.Listener, AutoCloseable {

    private final Streams streams;
    private final BooleanSupplier cancelled;
    private final boolean quiet;
    private final Predicate<ModelPull.Plan> accept;
    private final ProgressBar bar;
    private final Map<String, Long> arrived = new LinkedHashMap<>(); // bytes by path
    private final long start = System.nanoTime();
    private long done;
    private long total;
    private long fetched; // by this run

    PullProgress(Streams streams, BooleanSupplier cancelled, boolean quiet, Predicate<ModelPull.Plan> accept) {
        this.streams = streams;
        this.cancelled = cancelled;
        this.quiet = quiet;
        this.accept = accept;
        bar = new ProgressBar(streams, "pull");
    }

    @Override
    public boolean accept(ModelPull.Plan plan) {
        boolean accepted = accept.test(plan);
        total = plan.totalBytes();
        done = plan.totalBytes() - plan.fetchBytes();
        return accepted;
    }

    @Override
    public void waiting() {
        if (!quiet) {
            streams.message("another pull of this model is running; waiting for it");
        }
    }

    @Override
    public synchronized void transferred(RemoteFile file, long bytes) {
        boolean first = !arrived.containsKey(file.path());
        long now = arrived.merge(file.path(), bytes, Long::sum);
        if (quiet) {
            return;
        }
        if (total > 0 && !first) { // the first call tells what was there before
            done += bytes;
            fetched += bytes;
            double seconds = (System.nanoTime() - start) * 1e-9;
            bar.show(
                    done,
                    total,
                    String.format(
                            Locale.ROOT,
                            "%s of %s, %.1f MB/s",
                            ByteSize.text(done),
                            ByteSize.text(total),
                            fetched / 1e6 / seconds));
        }
        if (now == file.size() && !streams.errIsTerminal()) {
            streams.message(Streams.visible(file.path()) + ": " + ByteSize.text(now));
        }
    }

    @Override
    public synchronized void retry(RemoteFile file, String reason, long waitMillis) {
        if (!quiet) {
            bar.close();
            streams.message(Streams.visible(reason.contains(file.path()) ? reason : file.path() + ": " + reason)
                    + "; next attempt in " + Math.max(1, waitMillis / 1000) + " s");
        }
    }

    @Override
    public boolean cancelled() {
        return cancelled.getAsBoolean();
    }

    /** Says where the model is now. */
    void done(Path directory) {
        bar.close();
        if (!quiet && streams.errIsTerminal()) {
            streams.message("in " + directory);
        }
    }

    @Override
    public void close() {
        bar.close();
    }
}
