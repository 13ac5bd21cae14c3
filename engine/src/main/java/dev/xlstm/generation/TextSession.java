package dev.xlstm.generation;

import dev.xlstm.sampling.Sampler;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.session.Session;
import dev.xlstm.tokenizer.Decoder;
import java.util.function.Consumer;

/** One text that is read and continued. Constant in size however long it gets; not thread-safe. */
public final class TextSession implements AutoCloseable {

    private static final int FEED_IDS = 256; // between two looks at whether to go on

    private final TextModel model;
    private final Session session;
    private final History history;
    private SamplingOptions sampling; // of the last generation,
    private Sampler sampler; // which goes on if the next has the same
    private long promptTokens; // read since the last generation,
    private long prefillNanos; // in this time

    TextSession(TextModel model) {
        this(model, new Session(model.loaded()), new History());
    }

    private TextSession(TextModel model, Session session, History history) {
        this.model = model;
        this.session = session;
        this.history = history;
    }

    /**
     * Reads text. At the beginning it gets what the model wants a text to begin with, see
     * {@link TextModel#encodePrompt}.
     *
     * @throws IllegalStateException if the model has no tokenizer
     */
    public void feed(String text) {
        feed(
                session.position() == 0
                        ? model.encodePrompt(text)
                        : model.requireTokenizer().encode(text, true));
    }

    /**
     * Reads ids as they are.
     *
     * @throws IllegalArgumentException if an id is outside the vocabulary
     */
    public void feed(int... ids) {
        feed(ids, new GenerationListener() {});
    }

    /** Reads ids until the listener cancels; returns whether all have been read. */
    public boolean feed(int[] ids, GenerationListener listener) {
        long start = System.nanoTime();
        int done = 0;
        while (done < ids.length && !listener.cancelled()) {
            int to = Math.min(done + FEED_IDS, ids.length);
            session.feed(ids, done, to);
            for (int i = done; i < to; i++) {
                accept(ids[i]);
            }
            done = to;
            listener.prefill(done, ids.length);
        }
        promptTokens += done;
        prefillNanos += System.nanoTime() - start;
        return done == ids.length;
    }

    /** Continues the text and gathers the result. */
    public Completion generate(GenerationOptions options) {
        return generate(options, piece -> {});
    }

    /** Continues the text, hands each piece of it on as soon as it is certain, and gathers the result. */
    public Completion generate(GenerationOptions options, Consumer<String> pieces) {
        Gatherer gatherer = new Gatherer() {
            @Override
            public void text(String piece) {
                super.text(piece);
                pieces.accept(piece);
            }
        };
        Outcome outcome = generate(options, gatherer);
        return new Completion(gatherer.ids(), hasText() ? gatherer.text() : null, outcome);
    }

    /**
     * Continues the text and keeps nothing of it: all goes to the listener. Every token generated has been read, too, so
     * the next generation goes on behind it. With the same sampling options as the last time the random draws go on;
     * with others they begin at the seed.
     *
     * @throws IllegalStateException if nothing has been read and the model has no token to begin with, or if the logits
     *     are not finite
     */
    public Outcome generate(GenerationOptions options, GenerationListener listener) {
        beginText();
        useSampler(options.sampling());
        Decoder decoder = model.tokenizer().map(t -> t.decoder(true)).orElse(null);
        StopMatcher stops = new StopMatcher(options.stop());
        FinishReason reason = listener.cancelled() ? FinishReason.INTERRUPTED : null;
        if (reason == null) {
            long start = System.nanoTime();
            session.logits();
            prefillNanos += System.nanoTime() - start;
        }
        long decodeStart = System.nanoTime();
        long tokens = 0;
        while (reason == null) {
            if (tokens == options.maxTokens()) {
                reason = FinishReason.LENGTH;
            } else if (listener.cancelled()) {
                reason = FinishReason.INTERRUPTED;
            } else {
                float[] logits = session.logits();
                int id = sampler.next(logits);
                reason = endOfText(id, options);
                if (reason == null) {
                    tokens++;
                    listener.token(id, logits);
                    session.feed(id);
                    accept(id);
                    if (decoder != null) {
                        emit(stops.append(decoder.accept(id)), listener);
                        reason = stops.matched() == null ? null : FinishReason.STOP;
                    }
                }
            }
        }
        if (decoder != null && stops.matched() == null) {
            emit(stops.append(decoder.finish()), listener);
            emit(stops.finish(), listener);
            reason = stops.matched() == null ? reason : FinishReason.STOP;
        }
        Outcome outcome = new Outcome(
                reason, stops.matched(), promptTokens, tokens, prefillNanos, System.nanoTime() - decodeStart);
        promptTokens = 0;
        prefillNanos = 0;
        return outcome;
    }

    private void useSampler(SamplingOptions options) {
        if (!options.equals(sampling)) {
            sampler = new Sampler(options, model.loaded().config().vocabSize());
            history.replay(sampler);
            sampling = options;
        }
    }

    private void accept(int id) {
        history.add(id);
        if (sampler != null) {
            sampler.accept(id);
        }
    }

    private void beginText() {
        if (session.position() == 0) {
            feed(model.specialTokens()
                    .bos()
                    .orElseThrow(() -> new IllegalStateException(
                            "nothing to continue: the prompt is empty and the model has no token that begins a text")));
        }
    }

    private FinishReason endOfText(int id, GenerationOptions options) {
        if (options.stopIds().contains(id)) {
            return FinishReason.STOP;
        }
        return !options.ignoreEos() && model.specialTokens().stopIds().contains(id) ? FinishReason.EOS : null;
    }

    private static void emit(String piece, GenerationListener listener) {
        if (!piece.isEmpty()) {
            listener.text(piece);
        }
    }

    /** Whether the model has a tokenizer; without one it takes and gives ids only. */
    public boolean hasText() {
        return model.tokenizer().isPresent();
    }

    /** How many ids have been read, generated ones included. */
    public long position() {
        return session.position();
    }

    /** What has been read, without its text: for logits and scores. */
    public Session session() {
        return session;
    }

    /** A second text that goes its own way from here. The same options continue both in the same way. */
    public TextSession fork() {
        TextSession copy = new TextSession(model, session.fork(), history.copy());
        if (sampler != null) {
            copy.sampling = sampling;
            copy.sampler = new Sampler(sampling, model.loaded().config().vocabSize());
            copy.sampler.restore(sampler.save());
        }
        copy.promptTokens = promptTokens;
        copy.prefillNanos = prefillNanos;
        return copy;
    }

    @Override
    public void close() {
        session.close();
    }
}
