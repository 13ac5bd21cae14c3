package dev.xlstm.cli.console;

import dev.xlstm.safetensors.WholeFile;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Handles Ctrl-C and kill. The JVM exits with 128 + the signal's number; a shutdown hook first gives running work up to two
 * seconds to finish cleanly.
 */
public final class Interruption {

    private static final int PATIENCE_SECONDS = 2; // how long a kill may take at most

    private final ReentrantLock work = new ReentrantLock();
    private volatile boolean requested;

    /** Registers the shutdown hook; without it, {@link #requested} stays false. */
    public void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::awaitWork));
    }

    private void awaitWork() {
        requested = true;
        try {
            work.tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS); // never unlocked, so that no new work begins
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        WholeFile.deleteUnfinished();
    }

    /** Whether the process is shutting down. */
    public boolean requested() {
        return requested;
    }

    /** Begins work. Until {@link #end}, it must check {@link #requested} often and stop soon after. */
    public void begin() {
        work.lock();
    }

    public void end() {
        work.unlock();
    }
}
