package dev.xlstm.generation;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.grammar.GrammarMask;
import dev.xlstm.safetensors.DType;
import dev.xlstm.session.Session;
import dev.xlstm.session.StateFile;
import dev.xlstm.tokenizer.Decoder;
import java.io.IOException;
import java.io.Reader;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.util.HashSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/** One sequence being read and continued. Its memory is constant, however long the text; not thread-safe. */
public final class TextSession implements AutoCloseable {

    private static final int FEED_IDS = 256; // between two checks for cancellation
    private static final int READ_CHARS = 8192;

    private final TextModel model;
    private final Session session;
    private final ResumableSampler sampling;
    private final Decoder decoder; // may hold the beginning of a character; null without a tokenizer
    private HeldText held = HeldText.NONE; // text that may be the beginning of a stop string
    private GrammarProgress grammar; // where the last generation stopped within its grammar; null outside
    private long promptTokens; // read since the last generation,
    private long prefillNanos; // in this time

    TextSession(TextModel model) {
        this(model, new Session(model.loaded()));
    }

    private TextSession(TextModel model, Session session) {
        this.model = model;
        this.session = session;
        sampling = new ResumableSampler(model.loaded().config().vocabSize());
        decoder = model.tokenizer().map(t -> t.decoder(true).midText()).orElse(null);
    }

    /** Goes on with what was saved. */
    TextSession(TextModel model, Session session, SavedText saved) {
        this(model, session);
        sampling.restore(saved.recent(), saved.sampling());
        if (decoder != null) {
            decoder.restore(saved.pending());
        }
        held = saved.held();
        grammar = saved.grammar();
    }

    /**
     * Reads text. At the beginning it gets what the model wants a text to begin with, see
     * {@link TextModel#encodePrompt}.
     *
     * @throws BadRequestException if the model has no tokenizer
     */
    public void feed(String text) {
        feed(session.position() == 0 ? model.encodePrompt(text) : model.encode(text));
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
            grammar = null; // a grammar begins with what is generated
        }
        long start = System.nanoTime();
        int done = 0;
        while (done < ids.length && !listener.cancelled()) {
            int to = Math.min(done + FEED_IDS, ids.length);
            model.checkFiles();
            session.feed(ids, done, to);
            for (int i = done; i < to; i++) {
                sampling.accept(ids[i]);
            }
            done = to;
            listener.prefill((int) Math.min(before + done, Integer.MAX_VALUE), total);
        }
        promptTokens += done;
        prefillNanos += System.nanoTime() - start;
        return done == ids.length;
    }

    /** Continues the text and returns all of the continuation. */
    public Completion generate(GenerationOptions options) {
        return generate(options, piece -> {});
    }

    /** Continues the text, passes each piece on as soon as it is certain, and returns all of the continuation. */
    public Completion generate(GenerationOptions options, Consumer<String> pieces) {
        CollectingListener collected = new CollectingListener() {
            @Override
            public void text(String piece) {
                super.text(piece);
                if (!piece.isEmpty()) {
                    pieces.accept(piece);
                }
            }
        };
        Outcome outcome = generate(options, collected);
        return new Completion(collected.ids(), hasText() ? collected.text() : null, outcome);
    }

    /**
     * Continues the text and keeps nothing of it: all goes to the listener. The session has read every token it
     * generated, and the next generation goes on after them. With the same sampling options as the last time the random draws go on;
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
        sampling.use(options.sampling());
        StopMatcher stops = new StopMatcher(options.stop());
        GrammarCursor cursor = cursor(options, part);
        grammar = cursor == null ? null : cursor.progress();
        boolean cancelled = listener.cancelled();
        if (!cancelled && (cursor == null || !cursor.mask().hasEnded())) {
            readPrompt();
        }
        long decodeStart = System.nanoTime();
        emit(stops.append(held), listener);
        int[] recent = options.draft() > 0 ? sampling.recentIds() : new int[0];
        DraftedSession drafted = new DraftedSession(session, options.draft(), new DraftLength(), recent);
        DecodeLoop loop = new DecodeLoop(
                model,
                drafted,
                sampling,
                new StreamedText(model.tokenizer().orElse(null), decoder, stops),
                cursor,
                options,
                listener);
        FinishReason reason;
        try {
            reason = cancelled ? FinishReason.INTERRUPTED : loop.run();
        } finally {
            drafted.finish();
        }
        held = stops.held();
        if (stops.matched() != null && decoder != null) {
            decoder.finish(); // drops what came with the stop string, and after it
        }
        boolean mayGoOn = reason == FinishReason.LENGTH || reason == FinishReason.INTERRUPTED;
        if (!mayGoOn) {
            endText(listener);
            grammar = null;
        }
        Outcome outcome = new Outcome(
                reason,
                stops.matched(),
                cursor == null || stops.matched() == null && cursor.mask().canEnd(),
                promptTokens,
                loop.tokens(),
                prefillNanos,
                System.nanoTime() - decodeStart);
        promptTokens = 0;
        prefillNanos = 0;
        return outcome;
    }

    /** Computes the first logits: until then part of the prompt may wait. */
    private void readPrompt() {
        long start = System.nanoTime();
        model.checkFiles();
        session.logits();
        prefillNanos += System.nanoTime() - start;
    }

    /** At the beginning of the grammar, or where the last part of the text stopped in it; null without a grammar. */
    private GrammarCursor cursor(GenerationOptions options, boolean part) {
        if (options.grammar() == null) {
            return null;
        }
        Set<Integer> stopIds = new HashSet<>(options.stopIds());
        if (!options.ignoreEos()) {
            stopIds.addAll(model.specialTokens().stopIds());
        }
        int[] ids = stopIds.stream().mapToInt(Integer::intValue).toArray();
        boolean endless = part || options.maxTokens() < 0;
        GrammarMask mask = new GrammarMask(options.grammar(), ids, endless ? Integer.MAX_VALUE : options.maxTokens());
        String hash = options.grammar().hash();
        if (grammar != null && !grammar.hash().equals(hash)) {
            throw new BadRequestException("the text stopped within another grammar: go on with that one, with none, or"
                    + " with a prompt between them");
        }
        if (grammar != null) {
            mask.replay(grammar.ids());
        }
        return new GrammarCursor(mask, !part ? null : grammar == null ? new GrammarProgress(hash) : grammar);
    }

    /** Passes on what was held back, as no text follows it. */
    private void endText(GenerationListener listener) {
        if (decoder != null) {
            String rest = held.text() + decoder.finish();
            held = HeldText.NONE;
            emit(rest, listener);
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

    private static void emit(String piece, GenerationListener listener) {
        if (!piece.isEmpty()) {
            listener.text(piece);
        }
    }

    TextModel model() {
        return model;
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
        return sampling.seed();
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
        return new SavedText(pending, held, sampling.recentIds(), sampling.save(), grammar);
    }

    /** The session on ids below the text: for logits and scores. */
    public Session session() {
        return session;
    }

    /** A copy that continues independently. With the same options both generate the same. */
    public TextSession fork() {
        return fork(model);
    }

    /** As {@link #fork()}, of another thread: {@code member} is from a {@link TextBatch} of this model. */
    public TextSession fork(TextModel member) {
        TextSession copy = new TextSession(member);
        copy.copyFrom(this);
        return copy;
    }

    /** Becomes a copy of another text of the same model in its own memory: allocating is much of the cost of a fork. */
    public void copyFrom(TextSession other) {
        session.copyFrom(other.session);
        sampling.copyFrom(other.sampling);
        if (decoder != null) {
            decoder.restore(other.decoder.pending());
        }
        held = other.held;
        grammar = other.grammar == null ? null : other.grammar.copy();
        promptTokens = other.promptTokens;
        prefillNanos = other.prefillNanos;
    }

    @Override
    public void close() {
        session.close();
    }
}
