package dev.xlstm.cli.console;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ErrorTextTest {

    @Test
    void outOfMemorySaysHowToGiveMore() {
        assertThat(ErrorText.describe(new OutOfMemoryError("as if"))).contains("out of memory", "XLSTM_JAVA_OPTS");
    }
}
