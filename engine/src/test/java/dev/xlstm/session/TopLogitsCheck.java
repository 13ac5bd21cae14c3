package dev.xlstm.session;

import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.TopLogits;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;

import static org.assertj.core.api.Assertions.assertThat;

/** Compares sessions that read the largest logits with sessions that always read all. */
public final class TopLogitsCheck {

    private static final int PAIRS = 3;

    private final LoadedModel model;
    private final Random random;
    private final Session[] asking = new Session[PAIRS];
    private final Session[] plain = new Session[PAIRS];
    private int answers;

    private TopLogitsCheck(LoadedModel model, Random random) {
        this.model = model;
        this.random = random;
    }

    /** Applies random operations to pairs of sessions; the sessions of a pair must agree in every bit. */
    public static void run(LoadedModel model, int steps, Random random) {
        TopLogitsCheck check = new TopLogitsCheck(model, random);
        try {
            for (int i = 0; i < PAIRS; i++) {
                check.asking[i] = new Session(model);
                check.plain[i] = new Session(model);
                check.feed(i, 1);
            }
            for (int step = 0; step < steps; step++) {
                check.step(random.nextInt(PAIRS), random.nextInt(PAIRS));
            }
            assertThat(check.answers).as("times the model picked logits out").isGreaterThan(steps / 8);
        } finally {
            for (int i = 0; i < PAIRS; i++) {
                check.asking[i].close();
                check.plain[i].close();
            }
        }
    }

    private void step(int i, int other) {
        switch (random.nextInt(8)) {
            case 0 -> {
                asking[i].copyFrom(asking[other]);
                plain[i].copyFrom(plain[other]);
            }
            case 1 -> {
                Session fork = asking[other].fork();
                asking[i].close();
                asking[i] = fork;
                fork = plain[other].fork();
                plain[i].close();
                plain[i] = fork;
            }
            case 2 -> assertThat(asking[i].logits()).isEqualTo(plain[i].logits());
            case 3 -> feed(i, 1 + random.nextInt(3));
            default -> {
                feed(i, 1);
                ask(
                        i,
                        1
                                + random.nextInt(Math.min(
                                        model.maxTopLogits(), model.config().vocabSize())));
            }
        }
    }

    private void feed(int i, int count) {
        int[] ids = random.ints(count, 0, model.config().vocabSize()).toArray();
        asking[i].feed(ids);
        plain[i].feed(ids);
    }

    private void ask(int i, int n) {
        TopLogits top = asking[i].topLogits(n);
        if (top == null) { // more than one id waits
            return;
        }
        answers++;
        int[] ids = top.ids().clone();
        float[] picked = top.logits().clone();
        float[] logits = plain[i].logits();
        assertThat(ids)
                .containsExactly(IntStream.range(0, logits.length)
                        .boxed()
                        .sorted(Comparator.comparing((Integer id) -> -logits[id]))
                        .limit(n)
                        .mapToInt(id -> id)
                        .toArray());
        for (int rank = 0; rank < n; rank++) {
            assertThat(picked[rank]).isEqualTo(logits[ids[rank]]);
        }
    }
}
