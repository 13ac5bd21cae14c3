package dev.xlstm.cli.console;

import dev.xlstm.safetensors.WholeFile;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Ctrl-C and kill. The JVM ends by itself, with 128 + the signal's number as exit code; this gives work that is under way
 * a moment to end in good order.
 */
public final class Interruption {

    private static final int PATIENCE_SECONDS = 2; // the longest a kill is made to wait

    private final ReentrantLock work = new ReentrantLock();
    private volatile boolean requested;

    /** Registers with the JVM; without it nothing is ever requested. */
    public void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::awaitWork));
    }

    private void awaitWork() {
        requested = true;
        try {
            work.tryLock(PATIENCE_SECONDS, TimeUnit.SECONDS); // and keeps it: nothing is to begin any more
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        WholeFile.deleteUnfinished();
    }

    /** Whether the process has been told to end. */
    public boolean requested() {
        return requested;
    }

    /** What runs until {@link #end} looks at {@link #requested} often and ends soon after. */
    public void begin() {
        work.lock();
    }

    public void end() {
        work.unlock();
    }
}
