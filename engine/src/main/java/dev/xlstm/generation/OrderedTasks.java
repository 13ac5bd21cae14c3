package dev.xlstm.generation;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs tasks on several threads and passes on their results in the order of the tasks. */
public final class OrderedTasks {

    /** Tasks per thread that may start before the oldest unfinished one is done; bounds the results kept behind a slow task. */
    private static final int AHEAD = 4;

    /** Receives the results, one after another. */
    public interface Results<T> {

        /** Returns whether to go on. */
        boolean accept(T result) throws IOException;
    }

    private OrderedTasks() {}

    /**
     * Returns when all results have been passed on or {@code results} wants no more; no task is running then. If a task fails,
     * the running ones are interrupted.
     *
     * @param tasks read only when a thread can take the next one
     */
    public static <T> void run(Iterator<? extends Callable<T>> tasks, int threads, Results<T> results)
            throws IOException {
        Deque<Future<T>> begun = new ArrayDeque<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) { // closing waits
            try {
                boolean wanted = true;
                while (wanted && (tasks.hasNext() || !begun.isEmpty())) {
                    boolean room = begun.size() < threads * AHEAD;
                    if (room
                            && tasks.hasNext()
                            && !(!begun.isEmpty() && begun.peek().isDone())) {
                        begun.add(pool.submit(tasks.next()));
                    } else {
                        wanted = results.accept(begun.remove().get());
                    }
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException runtime) {
                    throw runtime;
                }
                if (e.getCause() instanceof Error error) { // such as OutOfMemoryError
                    throw error;
                }
                throw new IOException(e.getCause().getMessage(), e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted", e);
            } finally {
                begun.forEach(future -> future.cancel(true)); // closing the pool waits for running tasks
            }
        }
    }
}
