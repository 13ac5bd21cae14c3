package dev.xlstm.sampling;

import dev.xlstm.RandomCases;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class CandidatesTest {

    /** Ids by falling logit, lower id first among equals, by the library's sort. */
    private static List<Integer> sorted(float[] logits) {
        return IntStream.range(0, logits.length)
                .boxed()
                .sorted(Comparator.comparing((Integer id) -> -logits[id]).thenComparing(id -> id))
                .toList();
    }

    private static List<Integer> ranks(Candidates candidates) {
        return IntStream.range(0, candidates.size())
                .map(candidates::idAt)
                .boxed()
                .toList();
    }

    /** Few distinct values, so that ties are common. */
    private static float[] randomLogits(Random random) {
        int vocab = random.nextInt(1, 201);
        float[] logits = new float[vocab];
        for (int i = 0; i < vocab; i++) {
            logits[i] = random.nextInt(20) - 10;
        }
        return logits;
    }

    @Test
    void ranksAreTheSortedOrder() {
        RandomCases.run(300, random -> {
            float[] logits = randomLogits(random);
            Candidates candidates = new Candidates(logits.length);
            candidates.load(logits);
            assertThat(ranks(candidates)).isEqualTo(sorted(logits));
        });
    }

    @Test
    void keepLeavesTheBestWhateverWasAskedBefore() {
        RandomCases.run(300, random -> {
            float[] logits = randomLogits(random);
            int first = random.nextInt(1, 251);
            int second = random.nextInt(1, 251);
            Candidates candidates = new Candidates(logits.length);
            candidates.load(logits);
            candidates.keep(first);
            candidates.idAt(candidates.size() / 2);
            candidates.keep(second);
            int expected = Math.min(Math.min(first, second), logits.length);
            assertThat(candidates.size()).isEqualTo(expected);
            assertThat(ranks(candidates)).isEqualTo(sorted(logits).subList(0, expected));
        });
    }

    @Test
    void damagedLogitsAreNamed() {
        Candidates candidates = new Candidates(3);
        assertThatIllegalStateException()
                .isThrownBy(() -> candidates.load(new float[] {1, Float.NaN, 2}))
                .withMessageContaining("id 1 is NaN");
        assertThatIllegalStateException()
                .isThrownBy(() -> candidates.load(new float[] {1, 2, Float.POSITIVE_INFINITY}))
                .withMessageContaining("id 2 is Infinity");
        candidates.load(new float[] {1, 2, 3}); // and it goes on after that
        assertThat(candidates.idAt(0)).isEqualTo(2);
    }

    @Test
    void idsCannotBeLookedUpOnceRanked() {
        Candidates candidates = new Candidates(3);
        candidates.load(new float[] {1, 2, 3});
        candidates.keep(2);
        assertThatIllegalStateException().isThrownBy(() -> candidates.get(0));
        assertThatThrownBy(() -> candidates.idAt(2)).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
