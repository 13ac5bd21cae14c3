package dev.xlstm.sampling;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/** The JDK's SplittableRandom runs the same algorithm. */
class SplitMix64Test {

    @Test
    void givesThePublishedSequence() {
        SplitMix64 random = new SplitMix64(1234567);
        assertThat(random.nextLong()).isEqualTo(6457827717110365317L);
        assertThat(random.nextLong()).isEqualTo(3203168211198807973L);
        assertThat(random.nextLong()).isEqualTo(Long.parseUnsignedLong("9817491932198370423"));
    }

    @Test
    void equalsTheJdksGenerator() {
        for (long seed : new long[] {0, 1, -1, 42, Long.MIN_VALUE}) {
            SplitMix64 ours = new SplitMix64(seed);
            SplittableRandom theirs = new SplittableRandom(seed);
            for (int i = 0; i < 1000; i++) {
                assertThat(ours.nextLong()).isEqualTo(theirs.nextLong());
                assertThat(ours.nextDouble()).isEqualTo((theirs.nextLong() >>> 11) / (double) (1L << 53));
            }
        }
    }

    @Test
    void resumesFromItsState() {
        SplitMix64 random = new SplitMix64(7);
        random.nextLong();
        SplitMix64 resumed = new SplitMix64(random.state());
        assertThat(resumed.nextLong()).isEqualTo(random.nextLong());
    }
}
