package dev.xlstm.generation;

import dev.xlstm.backend.TopLogits;
import dev.xlstm.error.BadRequestException;
import dev.xlstm.grammar.GrammarMask;
import dev.xlstm.safetensors.DType;
import dev.xlstm.sampling.Sampler;
import dev.xlstm.sampling.SamplingOptions;
import dev.xlstm.session.Session;
import dev.xlstm.session.StateFile;
import dev.xlstm.tokenizer.Decoder;
import java.io.IOException;
import java.io.Reader;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/** One text that is read and continued. Constant in size however long it gets; not thread-safe. */
public final class TextSession implements AutoCloseable {

    private static final int FEED_IDS = 256; // between two looks at whether to go on
    private static final int READ_CHARS = 8192;

    private final TextModel model;
    private final Session session;
    private History history;
    private final Decoder decoder; // may hold the beginning of a character; null without a tokenizer
    private String held = ""; // text that may be the beginning of a stop string
    private SamplingOptions sampling; // of the last generation,
    private Sampler sampler; // which goes on if the next has the same
    private GrammarPlace place; // where the last generation stopped within its grammar; null outside
    private SavedText saved; // until the first generation after a resumption,
    private long savedAt; // when as many ids had been added to the history
    private long promptTokens; // read since the last generation,
    private long prefillNanos; // in this time

    TextSession(TextModel model) {
        this(model, new Session(model.loaded()), new History());
    }

    /** Goes on with what was saved. */
    TextSession(TextModel model, Session session, SavedText saved) {
        this(model, session, new History());
        for (int id : saved.recent()) {
            history.add(id);
        }
        if (decoder != null) {
            decoder.restore(saved.pending());
        }
        held = saved.held();
        savedAt = history.added();
        place = saved.grammar();
        this.saved = saved;
    }

    private TextSession(TextModel model, Session session, History history) {
        this.model = model;
        this.session = session;
        this.history = history;
        decoder = model.tokenizer().map(t -> t.decoder(true)).orElse(null);
    }

    /**
     * Reads text. At the beginning it gets what the model wants a text to begin with, see
     * {@link TextModel#encodePrompt}.
     *
     * @throws BadRequestException if the model has no tokenizer
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
     * @throws BadRequestException if an id is outside the vocabulary
     */
    public void feed(int... ids) {
        feed(ids, new GenerationListener() {});
    }

    /** Reads ids until the listener cancels; returns whether all have been read. */
    public boolean feed(int[] ids, GenerationListener listener) {
        return feed(ids, listener, 0, ids.length);
    }

    /**
     * Reads text while it arrives, in constant memory, until the listener cancels. The ids are those of the whole text, see
     * {@link #feed(String)}.
     *
     * @return whether all has been read
     * @throws BadRequestException if the model has no tokenizer
     */
    public boolean feed(Reader text, GenerationListener listener) throws IOException {
        PromptEncoder encoder = model.promptEncoder(session.position() == 0);
        long start = session.position();
        char[] piece = new char[READ_CHARS];
        while (!listener.cancelled()) {
            int count = text.read(piece);
            int[] ids = count < 0 ? encoder.finish() : encoder.append(CharBuffer.wrap(piece, 0, count));
            boolean whole = feed(ids, listener, session.position() - start, -1);
            if (count < 0 || !whole) {
                return whole;
            }
        }
        return false;
    }

    private boolean feed(int[] ids, GenerationListener listener, long before, int total) {
        if (ids.length > 0) {
            endText(listener);
            place = null; // a grammar begins with what is generated
        }
        long start = System.nanoTime();
        int done = 0;
        while (done < ids.length && !listener.cancelled()) {
            int to = Math.min(done + FEED_IDS, ids.length);
            model.checkFiles();
            session.feed(ids, done, to);
            for (int i = done; i < to; i++) {
                accept(ids[i]);
            }
            done = to;
            listener.prefill((int) Math.min(before + done, Integer.MAX_VALUE), total);
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
     * @throws BadRequestException if nothing has been read and the model has no token to begin with
     * @throws IllegalStateException if the logits are not finite
     */
    public Outcome generate(GenerationOptions options, GenerationListener listener) {
        Outcome outcome = generate(options, listener, false);
        endText(listener);
        return outcome;
    }

    /**
     * As {@link #generate(GenerationOptions, GenerationListener)}, but if it ends by its length or is interrupted, text that
     * is not yet certain stays for the next: a character whose last bytes are missing, the beginning of a stop string. The
     * text of all parts is then the same as of one generation. A text within a grammar need not end in this part: the next
     * generation, with the same grammar, goes on in the middle of it.
     *
     * @throws BadRequestException as {@link #generate}; also if the text before stopped within another grammar
     */
    public Outcome generatePart(GenerationOptions options, GenerationListener listener) {
        return generate(options, listener, true);
    }

    private Outcome generate(GenerationOptions options, GenerationListener listener, boolean part) {
        beginText();
        useSampler(options.sampling());
        StopMatcher stops = new StopMatcher(options.stop());
        GrammarMask grammar = mask(options, part);
        FinishReason reason =
                listener.cancelled() ? FinishReason.INTERRUPTED : hasEnded(grammar) ? FinishReason.STOP : null;
        if (reason == null) {
            long start = System.nanoTime();
            model.checkFiles();
            session.logits();
            prefillNanos += System.nanoTime() - start;
        }
        long decodeStart = System.nanoTime();
        long tokens = 0;
        emit(stops.append(held), listener);
        if (reason == null && stops.matched() != null) {
            reason = FinishReason.STOP;
        }
        while (reason == null) {
            if (tokens == options.maxTokens()) {
                reason = FinishReason.LENGTH;
            } else if (listener.cancelled()) {
                reason = FinishReason.INTERRUPTED;
            } else {
                model.checkFiles();
                TopLogits top = grammar == null ? session.topLogits(sampler.reach()) : null;
                int id = top == null ? sampler.next(session.logits(), grammar) : sampler.next(top.ids(), top.logits());
                reason = endOfText(id, options);
                if (grammar != null) {
                    grammar.accept(id);
                    reason = reason == null ? null : FinishReason.STOP; // ends are allowed where the grammar's are
                }
                if (reason == null) {
                    tokens++;
                    listener.token(id, session::logits);
                    session.feed(id);
                    accept(id);
                    if (part && place != null) {
                        place.add(id);
                    }
                    if (decoder != null) {
                        emit(stops.append(decoder.accept(id)), listener);
                        reason = stops.matched() == null && !hasEnded(grammar) ? null : FinishReason.STOP;
                    }
                }
            }
        }
        held = stops.held();
        if (stops.matched() != null && decoder != null) {
            decoder.finish(); // what came with the stop string, and after it
        }
        boolean open = reason == FinishReason.LENGTH || reason == FinishReason.INTERRUPTED;
        if (!open) {
            endText(listener);
        }
        if (!open || !part) {
            place = null;
        }
        Outcome outcome = new Outcome(
                reason,
                stops.matched(),
                grammar == null || stops.matched() == null && grammar.canEnd(),
                promptTokens,
                tokens,
                prefillNanos,
                System.nanoTime() - decodeStart);
        promptTokens = 0;
        prefillNanos = 0;
        return outcome;
    }

    private GrammarMask mask(GenerationOptions options, boolean part) {
        if (options.grammar() == null) {
            place = null;
            return null;
        }
        Set<Integer> stopIds = new HashSet<>(options.stopIds());
        if (!options.ignoreEos()) {
            stopIds.addAll(model.specialTokens().stopIds());
        }
        int[] ids = stopIds.stream().mapToInt(Integer::intValue).toArray();
        boolean endless = part || options.maxTokens() < 0;
        GrammarMask mask = new GrammarMask(options.grammar(), ids, endless ? Integer.MAX_VALUE : options.maxTokens());
        if (place == null) {
            place = new GrammarPlace(options.grammar().hash());
        } else if (place.hash().equals(options.grammar().hash())) {
            mask.replay(place.ids());
        } else {
            throw new BadRequestException("the text stopped within another grammar: go on with that one, with none, or"
                    + " with a prompt between them");
        }
        return mask;
    }

    private static boolean hasEnded(GrammarMask grammar) {
        return grammar != null && grammar.hasEnded();
    }

    /** Gives out what has been held back, as no text follows on it. */
    private void endText(GenerationListener listener) {
        if (decoder != null) {
            String rest = held + decoder.finish();
            held = "";
            emit(rest, listener);
        }
    }

    private void useSampler(SamplingOptions options) {
        if (options.equals(sampling)) {
            return;
        }
        sampler = new Sampler(options, model.loaded().config().vocabSize());
        boolean goesOn = saved != null && SavedText.describe(options).equals(saved.samplingOptions());
        if (goesOn) {
            sampler.restore(saved.sampler());
        }
        history.replay(sampler, goesOn ? savedAt : 0);
        sampling = options;
        saved = null;
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
                    .orElseThrow(() -> new BadRequestException(
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

    /** The seed of the last generation, this one's or one before it was saved. */
    public OptionalLong seed() {
        if (sampling != null) {
            return OptionalLong.of(sampling.seed());
        }
        return saved == null || saved.seed() == null ? OptionalLong.empty() : OptionalLong.of(saved.seed());
    }

    /**
     * Writes a state file: whoever {@link TextModel#resume resumes} it goes on as this one would, with the same sampling
     * options in the same draws. The file appears whole or not at all.
     *
     * @param dtype F32, or BF16 for half the size, which is not exact
     * @param attributes of the new file, such as permissions
     */
    public void save(Path stateFile, DType dtype, FileAttribute<?>... attributes) throws IOException {
        StateFile.write(stateFile, session, model.fingerprint(), dtype, toSave().metadata(), attributes);
    }

    private SavedText toSave() {
        byte[] pending = decoder == null ? new byte[0] : decoder.pending();
        int[] recent = history.toArray();
        if (sampler != null) {
            return new SavedText(
                    pending, held, recent, SavedText.describe(sampling), sampling.seed(), sampler.save(), keptPlace());
        }
        if (saved != null && savedAt == history.added()) { // nothing has happened in between
            return new SavedText(
                    pending, held, recent, saved.samplingOptions(), saved.seed(), saved.sampler(), keptPlace());
        }
        return new SavedText(pending, held, recent, null, null, Map.of(), keptPlace());
    }

    private GrammarPlace keptPlace() {
        return place == null ? null : place.copy();
    }

    /** What has been read, without its text: for logits and scores. */
    public Session session() {
        return session;
    }

    /** A second text that goes its own way from here. The same options continue both in the same way. */
    public TextSession fork() {
        return fork(model);
    }

    /** As {@link #fork()}, of another thread: {@code member} is from a {@link TextBatch} of this model. */
    public TextSession fork(TextModel member) {
        TextSession copy = new TextSession(member);
        copy.copyFrom(this);
        return copy;
    }

    /** Becomes what a fork of another text of the same model would be, in the memory it has: much of a fork's cost is new memory. */
    public void copyFrom(TextSession other) {
        session.copyFrom(other.session);
        history = other.history.copy();
        sampling = other.sampling;
        sampler = null;
        if (other.sampler != null) {
            sampler = new Sampler(sampling, model.loaded().config().vocabSize());
            sampler.restore(other.sampler.save());
        }
        if (decoder != null) {
            decoder.restore(other.decoder.pending());
        }
        held = other.held;
        place = other.keptPlace();
        saved = other.saved;
        savedAt = other.savedAt;
        promptTokens = other.promptTokens;
        prefillNanos = other.prefillNanos;
    }

    @Override
    public void close() {
        session.close();
    }
}
