package dev.xlstm.cli.console;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ErrorTextTest {

    @Test
    void outOfMemorySaysHowToGiveMore() {
        assertThat(ErrorText.describe(new OutOfMemoryError("as if"))).contains("out of memory", "XLSTM_JAVA_OPTS");
    }

    /** Executors, streams and futures wrap the exceptions of other threads. */
    @Test
    void wrappersShowTheMessageOfTheirCause() {
        IOException cause = new IOException("model.json: is empty");
        for (Throwable wrapped : new Throwable[] {
            new ExecutionException(cause),
            new CompletionException(cause),
            new RuntimeException(new ExecutionException(cause)),
            new UncheckedIOException(cause),
            new IllegalStateException(null, cause)
        }) {
            assertThat(ErrorText.describe(wrapped)).isEqualTo("model.json: is empty");
        }
        assertThat(ErrorText.describe(new IOException("a.txt: cannot be read", cause)))
                .isEqualTo("a.txt: cannot be read");
    }

    @Test
    void errorsOfTheProgramAskForAReport() {
        assertThat(ErrorText.describe(new ArithmeticException("/ by zero")))
                .startsWith("internal error, please report: ")
                .contains("ArithmeticException");
        assertThat(ErrorText.describe(new ExecutionException(new NullPointerException())))
                .startsWith("internal error, please report: ");
    }
}
