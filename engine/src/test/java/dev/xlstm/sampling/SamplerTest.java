package dev.xlstm.sampling;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

import static dev.xlstm.sampling.SamplingParameter.FREQUENCY_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.MIN_P;
import static dev.xlstm.sampling.SamplingParameter.PRESENCE_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.REPEAT_LAST_N;
import static dev.xlstm.sampling.SamplingParameter.REPETITION_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_K;
import static dev.xlstm.sampling.SamplingParameter.TOP_P;
import static dev.xlstm.sampling.SamplingParameter.XTC_PROBABILITY;
import static dev.xlstm.sampling.SamplingParameter.XTC_THRESHOLD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

class SamplerTest {

    /** Logits whose probabilities are 0.5, 0.25, 0.125, 0.0625, 0.0625, not in order of id. */
    private static final double[] PROBABILITIES = {0.0625, 0.5, 0.125, 0.25, 0.0625};

    private static final float[] LOGITS = logits(PROBABILITIES);

    private static float[] logits(double... probabilities) {
        float[] logits = new float[probabilities.length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(probabilities[i]) + 3; // a constant changes no probability
        }
        return logits;
    }

    /** No step but the draw. */
    private static SamplingOptions plain() {
        return SamplingOptions.defaults()
                .with(TEMPERATURE, 1)
                .with(TOP_K, 0)
                .with(TOP_P, 1)
                .with(MIN_P, 0);
    }

    /** Pearson's test: draws must follow the probabilities, and never give an id of probability 0. */
    private static void assertDraws(SamplingOptions options, double... expected) {
        int draws = 100_000;
        Sampler sampler = new Sampler(options.withSeed(11), expected.length);
        long[] counts = new long[expected.length];
        for (int i = 0; i < draws; i++) {
            counts[sampler.next(LOGITS)]++;
        }
        double chiSquare = 0;
        for (int id = 0; id < expected.length; id++) {
            if (expected[id] == 0) {
                assertThat(counts[id]).as("draws of excluded id %d", id).isZero();
            } else {
                chiSquare += Math.pow(counts[id] - draws * expected[id], 2) / (draws * expected[id]);
            }
        }
        // 99.9 % quantile of the distribution with 4 degrees of freedom; fewer have lower ones
        assertThat(chiSquare).isLessThan(18.47);
    }

    @Test
    void plainDrawsFollowTheSoftmax() {
        assertDraws(plain(), PROBABILITIES);
    }

    @Test
    void topKRenormalisesTheBest() {
        assertDraws(plain().with(TOP_K, 2), 0, 2 / 3.0, 0, 1 / 3.0, 0);
    }

    @Test
    void topKBeyondTheVocabularyKeepsAll() {
        assertDraws(plain().with(TOP_K, 100), PROBABILITIES);
    }

    @Test
    void theLargestLogitsWithinReachGiveTheSameIds() {
        int vocab = 300;
        Random random = new Random(5);
        SamplingOptions all = SamplingOptions.defaults()
                .with(MIN_P, 0.01f)
                .with(XTC_PROBABILITY, 0.1f)
                .with(XTC_THRESHOLD, 0.5f);
        for (SamplingOptions options : List.of(
                SamplingOptions.greedy(),
                SamplingOptions.defaults(),
                all.with(TOP_K, 1),
                all.with(TOP_K, 60).with(TEMPERATURE, 1.5f),
                all.with(TOP_K, 60).with(TOP_P, 1),
                all.with(TOP_K, vocab + 1))) {
            Sampler whole = new Sampler(options, vocab);
            Sampler part = new Sampler(options, vocab);
            for (int draw = 0; draw < 500; draw++) {
                float[] logits = new float[vocab];
                for (int i = 0; i < vocab; i++) {
                    logits[i] = random.nextInt(40) * 0.25f; // many are equal
                }
                int[] ids = IntStream.range(0, vocab)
                        .boxed()
                        .sorted(Comparator.comparing((Integer id) -> -logits[id]))
                        .limit(part.reach())
                        .mapToInt(id -> id)
                        .toArray();
                float[] picked = new float[ids.length];
                for (int rank = 0; rank < ids.length; rank++) {
                    picked[rank] = logits[ids[rank]];
                }
                assertThat(part.next(ids, picked)).isEqualTo(whole.next(logits));
            }
        }
    }

    @Test
    void reachIsWhatTheFirstStepLeaves() {
        assertThat(reach(plain().with(TEMPERATURE, 0))).isEqualTo(1);
        assertThat(reach(plain().with(TEMPERATURE, 0).with(REPETITION_PENALTY, 2)))
                .isEqualTo(1000);
        assertThat(reach(plain().with(TEMPERATURE, 0).with(TOP_K, 7))).isEqualTo(1);
        assertThat(reach(SamplingOptions.defaults())).isEqualTo(40);
        assertThat(reach(SamplingOptions.defaults().with(PRESENCE_PENALTY, 1))).isEqualTo(1000);
        assertThat(reach(SamplingOptions.defaults().withLogitBias(Map.of(1, 2f))))
                .isEqualTo(1000);
        assertThat(reach(SamplingOptions.defaults().withOrder(List.of(StepName.TEMPERATURE, StepName.TOP_K))))
                .isEqualTo(1000);
        assertThat(reach(plain().with(TOP_K, 5000))).isEqualTo(1000);
        assertThat(reach(plain())).isEqualTo(1000);
    }

    private static int reach(SamplingOptions options) {
        return new Sampler(options, 1000).reach();
    }

    @Test
    void topPKeepsTheFewestThatReachIt() {
        assertDraws(plain().with(TOP_P, 0.7f), 0, 2 / 3.0, 0, 1 / 3.0, 0); // 0.5 + 0.25
        assertDraws(plain().with(TOP_P, 0.8f), 0, 4 / 7.0, 1 / 7.0, 2 / 7.0, 0); // 0.5 + 0.25 + 0.125
        assertDraws(plain().with(TOP_P, 0.01f), 0, 1, 0, 0, 0); // always at least one
    }

    @Test
    void minPKeepsWhatIsLikelyEnoughBesidesTheBest() {
        assertDraws(plain().with(MIN_P, 0.3f), 0, 2 / 3.0, 0, 1 / 3.0, 0); // at least 0.15
        assertDraws(plain().with(MIN_P, 0.2f), 0, 4 / 7.0, 1 / 7.0, 2 / 7.0, 0); // at least 0.1
        assertDraws(plain().with(MIN_P, 1), 0, 1, 0, 0, 0);
    }

    @Test
    void temperatureIsAPowerOfTheProbabilities() {
        // probabilities squared: 64, 16, 4, 1, 1 of 86 (in 256ths: 0.5^2 = 64/256 and so on)
        assertDraws(plain().with(TEMPERATURE, 0.5f), 1 / 86.0, 64 / 86.0, 4 / 86.0, 16 / 86.0, 1 / 86.0);
        assertDraws(plain().with(TEMPERATURE, 1e-45f), 0, 1, 0, 0, 0);
    }

    @Test
    void truncationLooksAtProbabilitiesBeforeTemperature() {
        // with the temperature first, 0.7 of {64, 16, ...}/86 would be reached by the best id alone
        assertDraws(plain().with(TOP_P, 0.7f).with(TEMPERATURE, 0.5f), 0, 0.8, 0, 0.2, 0);
    }

    @Test
    void topPCountsWithinWhatTopKLeft() {
        // of {2/3, 1/3} the best alone reaches 0.6; of all five it would take two
        assertDraws(plain().with(TOP_K, 2).with(TOP_P, 0.6f), 0, 1, 0, 0, 0);
    }

    @Test
    void greedyTakesTheLowestOfEqualIds() {
        Sampler sampler = new Sampler(SamplingOptions.greedy(), 4);
        assertThat(sampler.next(new float[] {1, 5, 5, 2})).isEqualTo(1);
        assertThat(sampler.next(new float[] {-1, -5, -5, -0.5f})).isEqualTo(3);
    }

    private static float penalised(SamplingOptions options, float logit, int... history) {
        Penalties penalties = new Penalties(options, 10);
        for (int id : history) {
            penalties.accept(id);
        }
        float[] logits = new float[10];
        logits[3] = logit;
        Candidates candidates = new Candidates(10);
        candidates.load(logits);
        penalties.apply(candidates);
        for (int id = 0; id < 10; id++) {
            if (id != 3 && IntStream.of(history).noneMatch(Integer.valueOf(id)::equals)) {
                assertThat(candidates.get(id)).isZero();
            }
        }
        return candidates.get(3);
    }

    @Test
    void penaltiesAreTheWorkedFigures() {
        assertThat(penalised(plain().with(REPETITION_PENALTY, 2), 3, 3)).isEqualTo(1.5f);
        assertThat(penalised(plain().with(REPETITION_PENALTY, 2), -3, 3, 3)).isEqualTo(-6);
        assertThat(penalised(plain().with(PRESENCE_PENALTY, 0.5f), 3, 3, 1, 3)).isEqualTo(2.5f);
        assertThat(penalised(plain().with(FREQUENCY_PENALTY, 0.5f), 3, 3, 1, 3)).isEqualTo(2);
        assertThat(penalised(plain().with(FREQUENCY_PENALTY, 0.5f), 3, 1, 2)).isEqualTo(3);
        // 4 / 2 - 0.25 - 2 * 0.5
        assertThat(penalised(
                        plain().with(REPETITION_PENALTY, 2)
                                .with(PRESENCE_PENALTY, 0.25f)
                                .with(FREQUENCY_PENALTY, 0.5f),
                        4,
                        3,
                        3))
                .isCloseTo(0.75f, within(1e-6f));
    }

    @Test
    void penaltiesForgetWhatIsNotRecent() {
        assertThat(penalised(plain().with(FREQUENCY_PENALTY, 1).with(REPEAT_LAST_N, 2), 3, 3, 3, 3))
                .isEqualTo(1);
        assertThat(penalised(plain().with(FREQUENCY_PENALTY, 1).with(REPEAT_LAST_N, 2), 3, 3, 3, 5, 6))
                .isEqualTo(3);
        assertThat(penalised(plain().with(FREQUENCY_PENALTY, 1).with(REPEAT_LAST_N, -1), 3, 3, 3, 5, 6))
                .isEqualTo(1);
    }

    @Test
    void greedyHonoursPenaltiesUntilTheyAreOutOfTheWindow() {
        Sampler sampler = new Sampler(
                SamplingOptions.defaults()
                        .with(TEMPERATURE, 0)
                        .with(PRESENCE_PENALTY, 100)
                        .with(REPEAT_LAST_N, 2),
                5);
        int[] ids = new int[6];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = sampler.next(LOGITS);
            sampler.accept(ids[i]);
        }
        assertThat(ids).containsExactly(1, 3, 2, 1, 3, 2); // round the three most likely
    }

    @Test
    void sameSeedSameIds() {
        SamplingOptions options = SamplingOptions.defaults().withSeed(5).with(REPETITION_PENALTY, 1.1f);
        assertThat(run(options, 300)).isEqualTo(run(options, 300));
        assertThat(run(options, 300)).isNotEqualTo(run(options.withSeed(6), 300));
    }

    private static int[] run(SamplingOptions options, int steps) {
        Random random = new Random(1);
        Sampler sampler = new Sampler(options, 500);
        float[] logits = new float[500];
        int[] ids = new int[steps];
        for (int i = 0; i < steps; i++) {
            for (int id = 0; id < logits.length; id++) {
                logits[id] = (float) random.nextGaussian() * 3;
            }
            ids[i] = sampler.next(logits);
            sampler.accept(ids[i]);
        }
        return ids;
    }

    @Test
    void damagedLogitsStopTheRun() {
        Sampler sampler = new Sampler(SamplingOptions.greedy(), 2);
        assertThatIllegalStateException()
                .isThrownBy(() -> sampler.next(new float[] {Float.NaN, 0}))
                .withMessageContaining("NaN");
    }

    @Test
    void aTokenAllocatesNothing() {
        int vocab = 50304;
        Random random = new Random(1);
        float[] logits = new float[vocab];
        for (int id = 0; id < vocab; id++) {
            logits[id] = (float) random.nextGaussian() * 3;
        }
        Sampler sampler = new Sampler(
                SamplingOptions.defaults()
                        .with(TOP_K, 0)
                        .with(REPETITION_PENALTY, 1.1f)
                        .with(REPEAT_LAST_N, 16),
                vocab);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE; // the first rounds link and compile, on this thread too
        int sum = 0;
        for (int round = 0; round < 5; round++) {
            long before = threads.getThreadAllocatedBytes(thread);
            long idle = threads.getThreadAllocatedBytes(thread) - before;
            before = threads.getThreadAllocatedBytes(thread);
            for (int i = 0; i < 20; i++) {
                sum += step(sampler, logits);
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before - idle);
        }
        assertThat(least).as("bytes in 20 tokens (their ids sum to %d)", sum).isZero();
    }

    private static int step(Sampler sampler, float[] logits) {
        int id = sampler.next(logits);
        sampler.accept(id);
        return id;
    }

    @Test
    void optionsOutOfRangeAreNamed() {
        assertInvalid(TEMPERATURE, -1, "temperature must be at least 0, not -1.0");
        assertInvalid(TEMPERATURE, Float.NaN, "temperature must be at least 0, not NaN");
        assertInvalid(TOP_K, -1, "top-k must be at least 0, not -1");
        assertInvalid(TOP_P, 0, "top-p must be above 0 and at most 1, not 0.0");
        assertInvalid(MIN_P, 1.5f, "min-p must be between 0 and 1, not 1.5");
        assertInvalid(REPETITION_PENALTY, 0, "repetition-penalty must be above 0, not 0.0");
        assertInvalid(PRESENCE_PENALTY, Float.NaN, "presence-penalty must be finite, not NaN");
        assertInvalid(FREQUENCY_PENALTY, Float.POSITIVE_INFINITY, "frequency-penalty must be finite, not Infinity");
        assertInvalid(REPEAT_LAST_N, -2, "repeat-last-n must be between -1 and 1048576, not -2");
    }

    private static void assertInvalid(SamplingParameter parameter, double value, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().with(parameter, value))
                .withMessage(message);
    }
}
