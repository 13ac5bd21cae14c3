package dev.xlstm.cli.options;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class MemoryWarningTest {

    private static final long GIB = 1L << 30;
    private static final long WEIGHTS = 7 * GIB; // a model of the 7B kind

    @Test
    void modelsThatFitNeedNoWarning() {
        assertThat(MemoryWarning.of(14 * GIB, WEIGHTS, 16 * GIB)).isEmpty();
        assertThat(MemoryWarning.of(16 * GIB, WEIGHTS, 16 * GIB)).isEmpty();
    }

    @Test
    void theLargestFormatThatFitsIsNamed() {
        assertThat(MemoryWarning.of(28 * GIB, WEIGHTS, 24 * GIB).orElseThrow())
                .contains("take 28.00 GiB, more than the 24.00 GiB of memory")
                .contains("--format bf16 needs 14.00 GiB");
        assertThat(MemoryWarning.of(14 * GIB, WEIGHTS, 12 * GIB).orElseThrow())
                .contains("--format q8_0 needs 7.44 GiB");
        assertThat(MemoryWarning.of(14 * GIB, WEIGHTS, 8 * GIB).orElseThrow()).contains("--format q4_0 needs 3.94 GiB");
        assertThat(MemoryWarning.of(14 * GIB, WEIGHTS, 4 * GIB).orElseThrow())
                .contains("no format makes it fit")
                .doesNotContain("--format");
    }
}
