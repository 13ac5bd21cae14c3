package dev.xlstm.cli;

import dev.xlstm.generation.Completion;
import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.Gatherer;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextBatch;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/** Several continuations of one text: it is read once and forked, and all are generated together. */
final class SampleRun {

    /** At once; each needs memory for a state. */
    private static final int TOGETHER = 16;

    private SampleRun() {}

    /**
     * The i-th continuation is drawn with the seed of the options plus i.
     *
     * @param session what is to be continued
     * @return in the order of the seeds; the last may be interrupted
     */
    static List<Completion> run(
            TextModel model, TextSession session, GenerationOptions options, int count, Interruption interruption)
            throws IOException {
        if (session.position() > 0) {
            session.session().logits(); // computed once, for all
        }
        TextBatch batch = new TextBatch(model);
        List<Completion> completions = new ArrayList<>();
        InOrder.run(
                IntStream.range(0, count)
                        .<Callable<Completion>>mapToObj(
                                i -> () -> one(session, batch, seeded(options, i), interruption))
                        .iterator(),
                options.grammar() == null ? TOGETHER : 1, // a compiled grammar is for one thread
                completion -> {
                    completions.add(completion);
                    return completion.outcome().finishReason() != FinishReason.INTERRUPTED;
                });
        return completions;
    }

    /** The options of one continuation. */
    static GenerationOptions seeded(GenerationOptions options, int index) {
        long seed = options.sampling().seed() + index;
        return options.withSampling(options.sampling().toBuilder().seed(seed).build());
    }

    private static Completion one(
            TextSession session, TextBatch batch, GenerationOptions options, Interruption interruption) {
        Gatherer gatherer = new Gatherer() {
            @Override
            public boolean cancelled() {
                return interruption.requested();
            }
        };
        try (TextModel member = batch.join();
                TextSession copy = fork(session, member)) {
            Outcome outcome = copy.generate(options, gatherer);
            return new Completion(gatherer.ids(), copy.hasText() ? gatherer.text() : null, outcome);
        }
    }

    /** One at a time: a device's states may not be copied by two threads at once. */
    private static TextSession fork(TextSession session, TextModel member) {
        synchronized (session) {
            return session.fork(member);
        }
    }
}
