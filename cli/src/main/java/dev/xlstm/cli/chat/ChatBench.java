package dev.xlstm.cli.chat;

import dev.xlstm.chat.Conversation;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextSession;
import dev.xlstm.sampling.SamplingOptions;
import java.io.IOException;
import java.util.Locale;

/** Measures speed on a copy of the conversation's state. */
final class ChatBench {

    private static final int PREFILL = 256; // tokens
    private static final int DECODE = 64;
    private static final int COPIES = 5;

    private ChatBench() {}

    static String measure(Conversation conversation, ChatTerminal terminal) throws IOException {
        GenerationListener listener = new GenerationListener() {
            @Override
            public boolean cancelled() {
                return terminal.interrupted();
            }
        };
        GenerationOptions options = GenerationOptions.defaults()
                .withMaxTokens(DECODE)
                .withIgnoreEos(true)
                .withSampling(SamplingOptions.greedy());
        try (TextSession session = conversation.memory(conversation.head())) {
            int[] ids = new int[PREFILL];
            int vocab = conversation.model().loaded().config().vocabSize();
            for (int i = 0; i < PREFILL; i++) {
                ids[i] = i % vocab;
            }
            session.feed(ids, listener);
            Outcome outcome = session.generate(options, listener);
            long start = System.nanoTime();
            for (int i = 0; i < COPIES; i++) {
                session.fork().close();
            }
            double copyMillis = (System.nanoTime() - start) / 1e6 / COPIES;
            return String.format(
                    Locale.ROOT,
                    "read %,.1f tokens/s, write %,.1f tokens/s, copy of the state %.1f ms%n",
                    outcome.prefillRate(),
                    outcome.decodeRate(),
                    copyMillis);
        }
    }
}
