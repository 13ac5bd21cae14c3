package dev.xlstm.generation;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/** Generates several continuations of one text together: the text is read once and forked. */
public final class SampleRunner {

    /** Each needs memory for a state. */
    private static final int MAX_TOGETHER = 16;

    /** Keeps the state after a continuation. */
    public interface Saver {

        void save(int index, TextSession session) throws IOException;
    }

    /** Takes the outcomes in the order of the seeds. */
    public interface Results {

        void accept(int index, Outcome outcome) throws IOException;
    }

    private SampleRunner() {}

    /**
     * The i-th continuation is drawn with the seed of the options plus i.
     *
     * @param session to be continued
     * @param listeners one for each continuation, called from a thread of its own
     * @param saver null to keep no states
     * @param results gets no more after one that was interrupted
     */
    public static void run(
            TextModel model,
            TextSession session,
            GenerationOptions options,
            List<? extends GenerationListener> listeners,
            Saver saver,
            Results results)
            throws IOException {
        if (session.position() > 0) {
            session.session().logits(); // computed once, for all
        }
        TextBatch batch = new TextBatch(model);
        int[] index = new int[1];
        OrderedTasks.run(
                IntStream.range(0, listeners.size())
                        .<Callable<Outcome>>mapToObj(
                                i -> () -> one(session, batch, seeded(options, i), i, listeners.get(i), saver))
                        .iterator(),
                options.grammar() == null ? MAX_TOGETHER : 1, // a compiled grammar is for one thread
                outcome -> {
                    results.accept(index[0]++, outcome);
                    return outcome.finishReason() != FinishReason.INTERRUPTED;
                });
    }

    /** The options of one continuation. */
    public static GenerationOptions seeded(GenerationOptions options, int index) {
        long seed = options.sampling().seed() + index;
        return options.withSampling(options.sampling().withSeed(seed));
    }

    private static Outcome one(
            TextSession session,
            TextBatch batch,
            GenerationOptions options,
            int index,
            GenerationListener listener,
            Saver saver)
            throws IOException {
        try (TextModel member = batch.join();
                TextSession copy = fork(session, member)) {
            Outcome outcome = saver == null ? copy.generate(options, listener) : copy.generatePart(options, listener);
            if (saver != null) {
                synchronized (session) {
                    saver.save(index, copy);
                }
            }
            return outcome;
        }
    }

    /** One at a time: a device's states may not be copied by two threads at once. */
    private static TextSession fork(TextSession session, TextModel member) {
        synchronized (session) {
            return session.fork(member);
        }
    }
}
