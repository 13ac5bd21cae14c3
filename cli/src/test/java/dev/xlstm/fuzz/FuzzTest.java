package dev.xlstm.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/** A moment of what scripts/fuzz does for hours, with the same inputs in every build. */
class FuzzTest {

    private static final int EXECUTIONS = 200;

    @TempDir
    static Path work;

    @TestFactory
    Stream<DynamicTest> everyReaderTakesOrRefuses() throws IOException {
        return FuzzTargets.all(Path.of("..", "test-data"), work).stream()
                .map(target -> DynamicTest.dynamicTest(target.name(), () -> {
                    Fuzzer fuzzer = new Fuzzer(target, 1);
                    fuzzer.run(() -> fuzzer.executions() < EXECUTIONS);
                    assertThat(fuzzer.findings())
                            .extracting(Fuzzer.Finding::kind)
                            .isEmpty();
                }));
    }

    /** That it would find something, in each of the ways it knows. */
    @Test
    void faultsAreFound() throws Exception {
        assertThat(kindOf(input -> {
                    throw new IOException("x: is damaged");
                }))
                .isNull();
        assertThat(kindOf(input -> Integer.parseInt("x"))).startsWith("java.lang.NumberFormatException");
        assertThat(kindOf(this::recurse)).isEqualTo("java.lang.StackOverflowError");
        assertThat(kindOf(input -> {
                    throw new IOException();
                }))
                .isEqualTo("IOException without a message");
        assertThat(kindOf(input -> {
                    for (int i = 0; i < 17; i++) {
                        assertThat(new byte[(int) (Fuzzer.MAX_ALLOCATED >> 4)]).isNotNull();
                    }
                }))
                .startsWith("allocates more than");
    }

    private void recurse(byte[] input) {
        recurse(input);
        assertThat(input).isNotNull();
    }

    private static String kindOf(FuzzTarget.Reader reader) throws InterruptedException {
        Fuzzer fuzzer = new Fuzzer(new FuzzTarget("x", Stream.of(new byte[4]).toList(), Mutator.bytes(), reader), 1);
        fuzzer.run(() -> false);
        return fuzzer.findings().isEmpty() ? null : fuzzer.findings().getFirst().kind();
    }
}
