package dev.xlstm.tornado;

import dev.xlstm.backend.Device;
import dev.xlstm.error.DoesNotFitException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/** What fits where, and which limit is named where it does not. */
class DevicesTest {

    private static final long GIB = 1L << 30;

    private static Device device(long memory, long buffer) {
        return new Device("Card", memory, buffer, true);
    }

    private static Devices.Needs needs(long weights, long largest, long state) {
        return new Devices.Needs(weights, largest, GIB / 4, state);
    }

    @Test
    void theLargestBufferIsNotTheMemory() {
        assertThatThrownBy(() -> needs(8 * GIB, 3 * GIB, GIB / 8).slotsOn(device(80 * GIB, 2 * GIB)))
                .isInstanceOf(DoesNotFitException.class)
                .hasMessageContaining("largest matrix has " + 3 * GIB)
                .hasMessageContaining("at most " + 2 * GIB + " bytes in one buffer")
                .hasMessageContaining("--backend cpu")
                .hasMessageNotContaining("device memory");
        assertThatThrownBy(() -> needs(8 * GIB, GIB, 3 * GIB).slotsOn(device(80 * GIB, 2 * GIB)))
                .hasMessageContaining("largest state has " + 3 * GIB);
    }

    @Test
    void theMemoryIsNotTheLargestBuffer() {
        assertThatThrownBy(() -> needs(14 * GIB, GIB, GIB / 8).slotsOn(device(12 * GIB, 12 * GIB)))
                .isInstanceOf(DoesNotFitException.class)
                .hasMessageContaining("needs " + (14 * GIB + GIB / 2) + " bytes of device memory")
                .hasMessageContaining("q4_0")
                .hasMessageNotContaining("buffer");
    }

    @Test
    void asManyStatesAsFit() {
        assertThat(needs(14 * GIB, GIB, GIB / 8).slotsOn(device(80 * GIB, 20 * GIB)))
                .as("never more than are useful")
                .isEqualTo(8);
        // 0.95 * 16 GiB less weights, activations and the one in transit: 0.825 GiB
        assertThat(needs(14 * GIB, GIB, GIB / 8).slotsOn(device(16 * GIB, 16 * GIB)))
                .isEqualTo(6);
        assertThat(needs(14 * GIB, GIB / 4, GIB / 8).slotsOn(device(80 * GIB, GIB / 2)))
                .as("all in one buffer")
                .isEqualTo(4);
        assertThat(needs(14 * GIB, GIB, GIB).slotsOn(device(80 * GIB, 80 * GIB)))
                .as("counted by an int: floats of 8 GiB less one")
                .isEqualTo(7);
    }
}
