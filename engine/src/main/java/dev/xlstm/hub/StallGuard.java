package dev.xlstm.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Closes a stream that delivers nothing for too long, or whose transfer was cancelled: the read then fails. */
final class StallGuard implements AutoCloseable {

    private static final ScheduledExecutorService TIMER = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("xlstm-stall").factory());

    private final Future<?> task;
    private volatile long lastArrival = System.nanoTime();

    StallGuard(InputStream in, Duration stall, TransferListener listener) {
        long tick = Math.clamp(stall.toMillis() / 4, 1, 250);
        task = TIMER.scheduleWithFixedDelay(
                () -> {
                    if (System.nanoTime() - lastArrival > stall.toNanos() || listener.cancelled()) {
                        try {
                            in.close();
                        } catch (IOException e) {
                            // closed is all that is wanted
                        }
                    }
                },
                tick,
                tick,
                TimeUnit.MILLISECONDS);
    }

    void arrived() {
        lastArrival = System.nanoTime();
    }

    @Override
    public void close() {
        task.cancel(false);
    }
}
