package dev.xlstm.backend.cpu;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ThreadTeamTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void everyTaskOfManyJobsRunsOnceAndBeforeItsJobReturns(int threads) {
        try (ThreadTeam team = new ThreadTeam(threads)) {
            for (int job = 0; job < 20_000; job++) {
                int count = job % 37;
                AtomicIntegerArray runs = new AtomicIntegerArray(count + 1);
                AtomicIntegerArray workers = new AtomicIntegerArray(threads);
                team.run(count, (index, worker) -> {
                    runs.incrementAndGet(index);
                    workers.incrementAndGet(worker);
                });
                int sum = 0;
                for (int i = 0; i < count; i++) {
                    assertThat(runs.get(i)).isOne();
                }
                for (int w = 0; w < threads; w++) {
                    sum += workers.get(w);
                }
                assertThat(sum).isEqualTo(count);
            }
        }
    }

    @Test
    void sleepingHelpersWakeForTheNextJob() throws InterruptedException {
        try (ThreadTeam team = new ThreadTeam(2)) {
            for (int job = 0; job < 20; job++) {
                Thread.sleep(2); // longer than they spin
                AtomicIntegerArray met = new AtomicIntegerArray(2);
                // each task waits for the other: done only if two threads take part
                team.run(2, (index, worker) -> {
                    met.set(index, 1);
                    while (met.get(1 - index) == 0) {
                        Thread.onSpinWait();
                    }
                });
                assertThat(met.get(0) + met.get(1)).isEqualTo(2);
            }
        }
    }

    @Test
    void aHelperThatRunsOutOfMemoryIsToldAsThat() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            AtomicIntegerArray met = new AtomicIntegerArray(2);
            assertThatThrownBy(() -> team.run(2, (index, worker) -> {
                        met.set(index, 1);
                        while (met.get(1 - index) == 0) {
                            Thread.onSpinWait();
                        }
                        if (worker == 1) {
                            throw new OutOfMemoryError("as if");
                        }
                    }))
                    .isInstanceOf(OutOfMemoryError.class)
                    .hasMessage("as if");
            AtomicIntegerArray runs = new AtomicIntegerArray(8);
            team.run(8, (index, worker) -> runs.incrementAndGet(index));
            assertThat(runs.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1, 1]");
        }
    }

    @Test
    void aTaskThatThrowsFailsItsJobAndNotTheTeam() {
        try (ThreadTeam team = new ThreadTeam(3)) {
            for (int failing = 0; failing < 8; failing++) {
                int bad = failing;
                assertThatThrownBy(() -> team.run(8, (index, worker) -> {
                            if (index == bad) {
                                throw new IllegalArgumentException("task " + bad);
                            }
                        }))
                        .hasStackTraceContaining("task " + bad);
                AtomicIntegerArray runs = new AtomicIntegerArray(8);
                team.run(8, (index, worker) -> runs.incrementAndGet(index));
                assertThat(runs.toString()).isEqualTo("[1, 1, 1, 1, 1, 1, 1, 1]");
            }
        }
    }
}
