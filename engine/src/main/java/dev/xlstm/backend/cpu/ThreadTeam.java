package dev.xlstm.backend.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed set of threads, the caller among them, that execute the tasks of one job at a time. Between the jobs of a forward
 * pass the helpers spin, because waking a thread costs more than most jobs; without work they go to sleep. Takes no lock and
 * allocates nothing.
 */
final class ThreadTeam implements AutoCloseable {

    /** The tasks of a job; {@code worker}, below the number of threads, selects the scratch memory. */
    interface Task {
        void run(int index, int worker);
    }

    private static final long SPIN_NANOS = 50_000;
    private static final int SPINS = 1000; // takes about SPIN_NANOS

    private final Thread[] helpers;

    /** Job number in the upper half, tasks not yet taken in the lower half, so that both change atomically. */
    private final AtomicLong ticket = new AtomicLong();

    private final AtomicInteger finished = new AtomicInteger();
    private final AtomicInteger sleeping = new AtomicInteger();
    private volatile Throwable failure;
    private volatile boolean closed;
    private Task task; // written before the ticket that publishes it
    private int count;

    ThreadTeam(int threads) {
        helpers = new Thread[threads - 1];
        for (int w = 0; w < helpers.length; w++) {
            int worker = w + 1;
            helpers[w] = new Thread(() -> help(worker), "xlstm-worker-" + worker);
            helpers[w].setDaemon(true);
            helpers[w].start();
        }
    }

    int threads() {
        return helpers.length + 1;
    }

    /** Runs tasks 0 to {@code count - 1}, in any order on any thread, and returns when all are done. */
    void run(int count, Task task) {
        if (helpers.length == 0 || count <= 1) {
            for (int i = 0; i < count; i++) {
                task.run(i, 0);
            }
            return;
        }
        this.task = task;
        this.count = count;
        finished.set(0);
        ticket.set(((ticket.get() >>> 32) + 1) << 32 | count);
        if (sleeping.get() > 0) {
            for (Thread helper : helpers) {
                LockSupport.unpark(helper);
            }
        }
        takeTasks(0);
        for (int spins = 0; finished.get() < count; spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield(); // a helper or the JIT compiler may need this core
            }
        }
        if (failure != null) {
            Throwable thrown = failure;
            failure = null;
            if (thrown
                    instanceof Error error) { // callers distinguish OutOfMemoryError and InternalError (a mapped file)
                throw error;
            }
            throw new IllegalStateException("a worker thread failed: " + thrown, thrown);
        }
    }

    private void takeTasks(int worker) {
        long seen = ticket.get();
        while ((int) seen > 0) {
            boolean taken = false;
            try {
                taken = ticket.compareAndSet(seen, seen - 1);
                if (taken) {
                    // the job cannot end before this task does, so its fields do not change
                    task.run(count - (int) seen, worker);
                }
            } catch (Throwable thrown) {
                failure = thrown;
            } finally {
                if (taken) {
                    finished.incrementAndGet();
                }
            }
            seen = ticket.get();
        }
    }

    private void help(int worker) {
        long idleSince = 0;
        while (!closed) {
            if ((int) ticket.get() > 0) {
                takeTasks(worker);
                idleSince = System.nanoTime();
            } else if (System.nanoTime() - idleSince < SPIN_NANOS) {
                Thread.onSpinWait();
            } else {
                sleeping.incrementAndGet();
                if ((int) ticket.get() == 0 && !closed) { // no job was published since this thread counts as sleeping
                    LockSupport.park(this);
                }
                sleeping.decrementAndGet();
                idleSince = System.nanoTime();
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread helper : helpers) {
            LockSupport.unpark(helper);
        }
        for (Thread helper : helpers) {
            try {
                helper.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
