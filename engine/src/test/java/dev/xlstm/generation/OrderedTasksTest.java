package dev.xlstm.generation;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class OrderedTasksTest {

    private final CountDownLatch begun = new CountDownLatch(1);

    /** As a text without an end: it goes on until it is interrupted. */
    private String endless() {
        begun.countDown();
        while (!Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
        }
        return "interrupted";
    }

    @Test
    void aWorkerThatRunsOutOfMemoryEndsAllOfThem() {
        List<Callable<String>> tasks = List.of(
                () -> {
                    begun.await();
                    throw new OutOfMemoryError("as if");
                },
                this::endless);
        assertThatThrownBy(() -> OrderedTasks.run(tasks.iterator(), 2, result -> true))
                .isInstanceOf(OutOfMemoryError.class)
                .hasMessage("as if");
    }

    @Test
    void aResultThatCannotBeWrittenEndsTheOthers() {
        List<Callable<String>> tasks = List.of(
                () -> {
                    begun.await();
                    return "first";
                },
                this::endless);
        assertThatThrownBy(() -> OrderedTasks.run(tasks.iterator(), 2, result -> {
                    throw new IOException("no space left");
                }))
                .isInstanceOf(IOException.class)
                .hasMessage("no space left");
    }

    @Test
    void resultsComeInOrderUntilNoneIsWanted() throws IOException {
        List<Callable<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            int number = i;
            tasks.add(() -> {
                Thread.sleep(number % 3);
                return number;
            });
        }
        List<Integer> results = new ArrayList<>();
        OrderedTasks.run(tasks.iterator(), 4, result -> {
            results.add(result);
            return result < 49;
        });
        assertThat(results).hasSize(50).isSorted();
    }
}
