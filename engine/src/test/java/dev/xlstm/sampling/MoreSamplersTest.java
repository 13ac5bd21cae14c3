package dev.xlstm.sampling;

import dev.xlstm.RandomCases;
import dev.xlstm.error.BadRequestException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

import static dev.xlstm.sampling.SamplingParameter.DRY_ALLOWED_LENGTH;
import static dev.xlstm.sampling.SamplingParameter.DRY_BASE;
import static dev.xlstm.sampling.SamplingParameter.DRY_LAST_N;
import static dev.xlstm.sampling.SamplingParameter.DRY_MULTIPLIER;
import static dev.xlstm.sampling.SamplingParameter.FREQUENCY_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.MIN_P;
import static dev.xlstm.sampling.SamplingParameter.MIROSTAT_ETA;
import static dev.xlstm.sampling.SamplingParameter.MIROSTAT_TAU;
import static dev.xlstm.sampling.SamplingParameter.REPEAT_LAST_N;
import static dev.xlstm.sampling.SamplingParameter.REPETITION_PENALTY;
import static dev.xlstm.sampling.SamplingParameter.TEMPERATURE;
import static dev.xlstm.sampling.SamplingParameter.TOP_K;
import static dev.xlstm.sampling.SamplingParameter.TOP_P;
import static dev.xlstm.sampling.SamplingParameter.XTC_PROBABILITY;
import static dev.xlstm.sampling.SamplingParameter.XTC_THRESHOLD;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

/** DRY, XTC, mirostat, logit biases and the order of steps, against figures worked out by hand. */
class MoreSamplersTest {

    /** Logits whose probabilities are 1/2, 1/4, 1/8, 1/16, 1/16, not in order of id. */
    private static final double[] PROBABILITIES = {0.0625, 0.5, 0.125, 0.25, 0.0625};

    private static final float[] LOGITS = new float[5];

    static {
        for (int i = 0; i < 5; i++) {
            LOGITS[i] = (float) Math.log(PROBABILITIES[i]);
        }
    }

    private static SamplingOptions plain() {
        return SamplingOptions.defaults()
                .with(TEMPERATURE, 1)
                .with(TOP_K, 0)
                .with(TOP_P, 1)
                .with(MIN_P, 0);
    }

    private static double[] frequencies(SamplingOptions options) {
        int draws = 100_000;
        Sampler sampler = new Sampler(options.withSeed(3), 5);
        double[] frequencies = new double[5];
        for (int i = 0; i < draws; i++) {
            frequencies[sampler.next(LOGITS)] += 1.0 / draws;
        }
        return frequencies;
    }

    /** Four standard deviations of a frequency are at most 0.0064. */
    private static void assertFrequencies(SamplingOptions options, double... expected) {
        double[] frequencies = frequencies(options);
        for (int id = 0; id < 5; id++) {
            if (expected[id] == 0) {
                assertThat(frequencies[id]).as("id %d", id).isZero();
            } else {
                assertThat(frequencies[id]).as("id %d", id).isCloseTo(expected[id], within(0.0064));
            }
        }
    }

    private static float[] afterDry(SamplingOptions options, int... history) {
        Dry dry = new Dry(options, 10);
        for (int id : history) {
            dry.accept(id);
        }
        Candidates candidates = new Candidates(10);
        candidates.load(new float[10]);
        dry.apply(candidates);
        float[] logits = new float[10];
        for (int id = 0; id < 10; id++) {
            logits[id] = candidates.get(id);
        }
        return logits;
    }

    private static SamplingOptions dry(int... breakers) {
        Set<Integer> set = new HashSet<>();
        for (int breaker : breakers) {
            set.add(breaker);
        }
        return drying(0.8, 1.75, 2, 1000).withDryBreakers(set);
    }

    private static SamplingOptions drying(double multiplier, double base, int allowedLength, int lastN) {
        return plain().with(DRY_MULTIPLIER, multiplier)
                .with(DRY_BASE, base)
                .with(DRY_ALLOWED_LENGTH, allowedLength)
                .with(DRY_LAST_N, lastN);
    }

    @Test
    void dryPenalisesWhatWouldGoOnWithARepeatedPassage() {
        // "1 2 3" came before and was followed by 4: 0.8 * 1.75^(3 - 2)
        assertThat(afterDry(dry(), 1, 2, 3, 4, 9, 1, 2, 3))
                .usingComparatorWithPrecision(1e-6f)
                .containsExactly(0, 0, 0, 0, -1.4f, 0, 0, 0, 0, 0);
        // "2 3" before 5 too, which is shorter: 0.8; the longest passage counts for 4
        assertThat(afterDry(dry(), 2, 3, 4, 6, 2, 3, 5, 1, 2, 3, 4, 9, 1, 2, 3))
                .usingComparatorWithPrecision(1e-6f)
                .containsExactly(0, 0, 0, 0, -1.4f, -0.8f, 0, 0, 0, 0);
        // a passage of one id is below the allowed length
        assertThat(afterDry(dry(), 3, 4, 1, 3)).containsOnly(0);
        // passages may overlap: "5 5 5" is followed by 5
        assertThat(afterDry(dry(), 5, 5, 5, 5)[5]).isCloseTo(-1.4f, within(1e-6f));
    }

    @Test
    void dryPassagesEndAtBreakers() {
        assertThat(afterDry(dry(2), 1, 2, 3, 4, 9, 1, 2, 3)).containsOnly(0); // only "3" is left
        assertThat(afterDry(dry(3), 1, 2, 3, 4, 9, 1, 2, 3)).containsOnly(0); // the text ends with a breaker
        assertThat(afterDry(dry(4), 1, 2, 3, 4, 9, 1, 2, 3)).containsOnly(0); // breakers may follow freely
        assertThat(afterDry(dry(1), 1, 2, 3, 4, 9, 1, 2, 3)[4]).isCloseTo(-0.8f, within(1e-6f));
    }

    @Test
    void drySearchesTheWindowOnly() {
        SamplingOptions window = drying(0.8, 1.75, 2, 6);
        assertThat(afterDry(window, 1, 2, 3, 4, 9, 1, 2, 3)[4]).isZero(); // of the first passage "3" is left
        assertThat(afterDry(window, 1, 2, 3, 4, 2, 3)[4]).isCloseTo(-0.8f, within(1e-6f));
    }

    @Test
    void dryStaysFinite() {
        int[] history = new int[200];
        float logit = afterDry(drying(1e30f, 1e30f, 1, 1000), history)[0];
        assertThat(logit).isFinite().isLessThan(-1e29f);
    }

    /** The longest suffix that ends before each occurrence, by comparing sublists. */
    @Test
    void dryAgreesWithSublists() {
        RandomCases.run(300, random -> {
            List<Integer> history =
                    random.ints(random.nextInt(41), 0, 4).boxed().toList();
            checkDry(history, random.nextInt(5));
        });
    }

    private static void checkDry(List<Integer> history, int breaker) {
        float[] expected = new float[10];
        int n = history.size();
        for (int i = 1; i < n; i++) {
            int next = history.get(i);
            for (int length = 2; length <= i; length++) {
                List<Integer> passage = history.subList(n - length, n);
                if (next != breaker
                        && !passage.contains(breaker)
                        && history.subList(i - length, i).equals(passage)) {
                    float penalty = (float) (0.8f * Math.pow(1.75, length - 2));
                    expected[next] = Math.min(expected[next], -penalty);
                }
            }
        }
        int[] ids = history.stream().mapToInt(Integer::intValue).toArray();
        assertThat(afterDry(dry(breaker), ids))
                .usingComparatorWithPrecision(1e-3f)
                .containsExactly(expected);
    }

    @Test
    void xtcRemovesAllLikelyIdsButTheLeast() {
        // above 0.2 are ids 1 and 3: 1 goes, the rest is half of all
        assertFrequencies(plain().with(XTC_PROBABILITY, 1).with(XTC_THRESHOLD, 0.2f), 0.125, 0, 0.25, 0.5, 0.125);
        // above 0.1 are 1, 3 and 2: 2 stays with ids 0 and 4
        assertFrequencies(plain().with(XTC_PROBABILITY, 1).with(XTC_THRESHOLD, 0.1f), 0.25, 0, 0.5, 0, 0.25);
        // only one is above 0.3
        assertFrequencies(plain().with(XTC_PROBABILITY, 1).with(XTC_THRESHOLD, 0.3f), PROBABILITIES);
        // half of the time: the mean of the two distributions
        assertFrequencies(
                plain().with(XTC_PROBABILITY, 0.5f).with(XTC_THRESHOLD, 0.2f), 0.09375, 0.25, 0.1875, 0.375, 0.09375);
    }

    @Test
    void xtcLooksAtWhatTheStepsBeforeItLeft() {
        // top-k 2 leaves 2/3 and 1/3, both above 0.3
        assertFrequencies(plain().with(TOP_K, 2).with(XTC_PROBABILITY, 1).with(XTC_THRESHOLD, 0.3f), 0, 0, 0, 1, 0);
        // before top-k, only id 1 is above 0.3: nothing goes
        assertFrequencies(
                plain().with(TOP_K, 2)
                        .with(XTC_PROBABILITY, 1)
                        .with(XTC_THRESHOLD, 0.3f)
                        .withOrder(StepName.parseList("xtc;top_k")),
                0,
                2 / 3.0,
                0,
                1 / 3.0,
                0);
    }

    @Test
    void mirostatKeepsSurprisesUpToMu() {
        // surprises are 1, 2, 3, 4, 4 bits; mu starts at 2 * 1.5; eta 0 leaves it there
        assertFrequencies(plain().with(MIROSTAT_TAU, 1.4999f).with(MIROSTAT_ETA, 0), 0, 2 / 3.0, 0, 1 / 3.0, 0);
        assertFrequencies(plain().with(MIROSTAT_TAU, 1.5001f).with(MIROSTAT_ETA, 0), 0, 4 / 7.0, 1 / 7.0, 2 / 7.0, 0);
        assertFrequencies(plain().with(MIROSTAT_TAU, 0.1f).with(MIROSTAT_ETA, 0), 0, 1, 0, 0, 0); // one stays
    }

    @Test
    void mirostatMovesMuByTheErrorOfTheSurprise() {
        Mirostat mirostat = new Mirostat(plain().with(MIROSTAT_TAU, 1.5f).with(MIROSTAT_ETA, 0.1f));
        Candidates candidates = new Candidates(5);
        candidates.load(LOGITS);
        mirostat.apply(candidates);
        mirostat.drawn(LOGITS[3]); // 2 bits under the whole distribution, though 3 ids are left
        assertThat(mirostat.mu()).isCloseTo(3 - 0.1 * (2 - 1.5), within(1e-5));
        candidates.load(LOGITS);
        mirostat.apply(candidates);
        mirostat.drawn(LOGITS[1]);
        assertThat(mirostat.mu()).isCloseTo(2.95 - 0.1 * (1 - 1.5), within(1e-5));
    }

    @Test
    void mirostatReachesItsTarget() {
        float[] zipf = new float[2000];
        double total = 0;
        for (int id = 0; id < zipf.length; id++) {
            zipf[id] = (float) -Math.log(id + 1);
            total += 1.0 / (id + 1);
        }
        for (float tau : new float[] {3, 5, 7}) {
            Sampler sampler = new Sampler(plain().with(MIROSTAT_TAU, tau).with(MIROSTAT_ETA, 0.1f), zipf.length);
            double surprise = 0;
            for (int i = 0; i < 4000; i++) {
                surprise += Math.log((sampler.next(zipf) + 1) * total) / Math.log(2) / 4000;
            }
            assertThat(surprise).isCloseTo(tau, within(0.1));
        }
    }

    @Test
    void mirostatReplacesTruncation() {
        assertFrequencies(
                plain().with(TOP_K, 1)
                        .with(TOP_P, 0.1f)
                        .with(MIN_P, 1)
                        .with(MIROSTAT_TAU, 10)
                        .with(MIROSTAT_ETA, 0),
                PROBABILITIES);
    }

    @Test
    void logitBiasShiftsAndExcludes() {
        // id 0 from 1/16 to 1/2: the total is 23/16
        assertFrequencies(
                plain().withLogitBias(Map.of(0, (float) Math.log(8))),
                8 / 23.0,
                8 / 23.0,
                2 / 23.0,
                4 / 23.0,
                1 / 23.0);
        assertFrequencies(plain().withLogitBias(Map.of(1, Float.NEGATIVE_INFINITY)), 0.125, 0, 0.25, 0.5, 0.125);
        Sampler greedy = new Sampler(SamplingOptions.greedy().withLogitBias(Map.of(4, 10f)), 5);
        assertThat(greedy.next(LOGITS)).isEqualTo(4);
    }

    @Test
    void nothingLeftIsAnErrorAndNotAnId() {
        Map<Integer, Float> all = new HashMap<>();
        for (int id = 0; id < 5; id++) {
            all.put(id, Float.NEGATIVE_INFINITY);
        }
        for (SamplingOptions options : List.of(plain(), SamplingOptions.defaults(), plain().with(TEMPERATURE, 0))) {
            Sampler sampler = new Sampler(options.withLogitBias(all), 5);
            assertThatExceptionOfType(BadRequestException.class)
                    .isThrownBy(() -> sampler.next(LOGITS))
                    .withMessageStartingWith("no id is left");
        }
    }

    @Test
    void onlyListedStepsRunInTheirOrder() {
        // temperature 0.5 first makes 0.7 the share of id 1 alone (64 of 86)
        assertFrequencies(
                plain().with(TEMPERATURE, 0.5f).with(TOP_P, 0.7f).withOrder(StepName.parseList("temperature;top-p")),
                0,
                1,
                0,
                0,
                0);
        assertFrequencies(plain().with(TOP_K, 1).with(TEMPERATURE, 0.5f).withOrder(List.of()), PROBABILITIES);
    }

    @Test
    void ordersThatMakeNoSenseAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StepName.parseList("top_k;typical"))
                .withMessage("unknown sampler \"typical\"; there are penalties;dry;top_k;top_p;min_p;xtc;temperature");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().withOrder(StepName.parseList("top_k;dry")))
                .withMessageStartingWith("sampler dry must come before top_k");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().withOrder(StepName.parseList("xtc;xtc")))
                .withMessage("sampler xtc is listed twice");
    }

    private static List<SamplingOptions> everySampler() {
        SamplingOptions base = SamplingOptions.defaults()
                .with(TEMPERATURE, 0.9f)
                .withSeed(42)
                .with(REPETITION_PENALTY, 1.2f)
                .with(FREQUENCY_PENALTY, 0.3f)
                .with(REPEAT_LAST_N, 7)
                .with(DRY_MULTIPLIER, 0.8f)
                .with(DRY_BASE, 1.75f)
                .with(DRY_ALLOWED_LENGTH, 1)
                .with(DRY_LAST_N, 20)
                .withDryBreakers(Set.of(2))
                .withLogitBias(Map.of(3, 1.5f));
        return List.of(
                base.with(XTC_PROBABILITY, 0.5f).with(XTC_THRESHOLD, 0.1f),
                base.with(MIROSTAT_TAU, 2).with(MIROSTAT_ETA, 0.3f),
                base.with(REPEAT_LAST_N, -1));
    }

    /** A copy goes its own way, and a sampler rolled back to it repeats itself. */
    @Test
    void aSamplerCanBeCopiedAndRolledBack() {
        for (SamplingOptions options : everySampler()) {
            Sampler sampler = new Sampler(options, 5);
            for (int i = 0; i < 30; i++) {
                step(sampler);
            }
            Sampler kept = sampler.copy();
            List<Integer> first = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                first.add(step(sampler));
            }
            sampler.copyFrom(kept);
            for (int i = 0; i < 30; i++) {
                assertThat(step(sampler)).isEqualTo(first.get(i));
                assertThat(step(kept)).isEqualTo(first.get(i));
            }
            assertThat(sampler.save()).isEqualTo(kept.save());
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Sampler(plain(), 5).copyFrom(new Sampler(plain().withSeed(1), 5)));
    }

    @Test
    void aRestoredSamplerGoesOnAsIfNeverStopped() {
        for (SamplingOptions options : everySampler()) {
            List<Integer> whole = new ArrayList<>();
            Sampler sampler = new Sampler(options, 5);
            for (int i = 0; i < 100; i++) {
                whole.add(step(sampler));
            }
            for (int stop : new int[] {0, 1, 3, 30, 99}) {
                Sampler first = new Sampler(options, 5);
                List<Integer> parts = new ArrayList<>();
                for (int i = 0; i < stop; i++) {
                    parts.add(step(first));
                }
                Sampler second = new Sampler(options.withSeed(7), 5);
                step(second); // is forgotten
                second.restore(first.save());
                for (int i = stop; i < 100; i++) {
                    parts.add(step(second));
                }
                assertThat(parts).as("stopped at %d", stop).isEqualTo(whole);
                assertThat(second.save()).isEqualTo(sampler.save());
            }
        }
    }

    private static int step(Sampler sampler) {
        int id = sampler.next(LOGITS);
        sampler.accept(id);
        return id;
    }

    @Test
    void damagedStatesAreNamed() {
        assertDamaged("random", "x", "\"x\" is not a whole number");
        assertDamaged("penalties.recent", "1 5", "\"5\" is not an id of the vocabulary of 5");
        assertDamaged("dry.recent", "-1", "\"-1\" is not an id of the vocabulary of 5");
        assertDamaged("mirostat.mu", "NaN", "\"NaN\" is not a finite number");
        assertDamaged("mirostat.mu", "much", "\"much\" is not a finite number");
        assertDamaged("penalties.counts", "1:0", "\"1:0\" is not an id and its count");
        assertDamaged("penalties.counts", "1", "\"1\" is not an id and its count");
        assertDamaged("random", "9".repeat(1000), "\"" + "9".repeat(40) + "…\" is not a whole number");
    }

    private static void assertDamaged(String key, String value, String problem) {
        SamplingOptions options = everySampler().get(key.equals("penalties.counts") ? 2 : 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Sampler(options, 5).restore(Map.of(key, value)))
                .withMessage("saved sampler state, " + key + ": " + problem);
    }

    @Test
    void optionsOutOfRangeAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().with(DRY_BASE, 0.5))
                .withMessage("dry-base must be at least 1, not 0.5");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().with(XTC_PROBABILITY, 1.5))
                .withMessage("xtc-probability must be between 0 and 1, not 1.5");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().with(MIROSTAT_TAU, Float.NaN))
                .withMessage("mirostat-tau must be at least 0, not NaN");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().withLogitBias(Map.of(-1, 1f)))
                .withMessage("the id of a logit bias must be at least 0, not -1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> plain().withLogitBias(Map.of(1, Float.NaN)))
                .withMessage("a logit bias must be finite or negative infinity, not NaN");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Sampler(plain().withLogitBias(Map.of(5, 1f)), 5))
                .withMessage("logit bias of id 5: the vocabulary has only 5 ids");
    }
}
