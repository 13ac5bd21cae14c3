package dev.xlstm.hub;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ResumableSha256Test {

    @Test
    void agreesWithTheJdkWhereverItIsCutAndResumed() {
        Random random = new Random(5);
        for (int length = 0; length < 400; length++) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            ResumableSha256 hash = new ResumableSha256();
            for (int at = 0; at < length; ) {
                int count = Math.min(1 + random.nextInt(150), length - at);
                hash.update(MemorySegment.ofArray(bytes).asSlice(at, count));
                hash = ResumableSha256.restore(hash.save());
                at += count;
            }
            assertThat(hash.length()).isEqualTo(length);
            assertThat(hash.finish()).isEqualTo(HubServer.hash("SHA-256", bytes));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "0-1-2-3-4-5-6-7-8-", "-1-00000000-00000000-00000000-00000000"})
    void refusesWhatItDidNotSave(String text) {
        assertThatThrownBy(() -> ResumableSha256.restore(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
