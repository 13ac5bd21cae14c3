package dev.xlstm.chat;

import dev.xlstm.generation.CollectingListener;
import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.tokenizer.Encoder;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A conversation as a tree of turns, with a snapshot of the model's state after each. Branches are names for ends of the
 * tree; one is current. A step feeds only what the model has not read yet; undoing and switching feed nothing. Not
 * thread-safe.
 */
public final class Conversation implements AutoCloseable {

    /** The branch a conversation begins with. */
    public static final String MAIN = Branches.MAIN;

    static final int MAX_NAME_CHARS = 60;
    private static final GenerationListener SILENT = new GenerationListener() {};

    private final TextModel model;
    private final ChatTemplate template;
    private final LocalDateTime started;
    private final PromptBuilder prompts;
    private final SnapshotFiles files;
    private final Snapshots snapshots;
    private final Branches branches = new Branches();
    private final TextSession live; // continues from turn to turn
    private SnapshotKey liveAt; // the snapshot that it equals, null if none
    private Outcome outcome;
    private String name; // given by the user; may be null

    /**
     * Where snapshots are kept.
     *
     * @param memoryBytes of main memory for them; two are kept in any case
     * @param directory for the others; must exist and belong to the conversation alone; null to keep none of them
     * @param diskBytes of files there; beyond it the oldest are deleted, and computed again when they are needed
     */
    public record Storage(long memoryBytes, Path directory, long diskBytes) {}

    /**
     * A conversation that has not begun.
     *
     * @param state what it begins after, as it is now; null for nothing
     * @param stateName to be shown for it
     * @param system prompt, null for none
     */
    public Conversation(
            TextModel model, ChatTemplate template, TextSession state, String stateName, String system, Storage storage)
            throws IOException {
        this(model, template, storage, LocalDateTime.now());
        Turn first = null;
        if (state != null) {
            first = Turn.state(branches.newId(), stateName, state.position());
            snapshots.put(SnapshotKey.after(first), state);
            snapshots.save(SnapshotKey.after(first));
        }
        branches.begin(first, system);
    }

    /** @param started the time that the template sees in all turns */
    Conversation(TextModel model, ChatTemplate template, Storage storage, LocalDateTime started) throws IOException {
        if (model.tokenizer().isEmpty()) {
            throw new ChatException("the model has no tokenizer.json: it cannot converse");
        }
        this.model = model;
        this.template = template;
        this.started = started;
        prompts = new PromptBuilder(model, template, started);
        files = new SnapshotFiles(model, storage.directory(), storage.diskBytes());
        snapshots = new Snapshots(model, storage.memoryBytes(), files);
        live = model.newSession();
    }

    /** Takes over what was saved. */
    void restore(Map<String, Turn> savedBranches, String current, int nextId, String savedName) {
        branches.restore(savedBranches, current, nextId);
        name = savedName;
    }

    /** The name that the user has given; null for none. */
    public String name() {
        return name;
    }

    /** @param given blank for none; shortened to one line of 60 characters */
    public void rename(String given) {
        name = given.isBlank() ? null : Excerpt.of(given, MAX_NAME_CHARS);
    }

    /** The last turn of the current branch. */
    public Turn head() {
        return branches.head();
    }

    public String branch() {
        return branches.current();
    }

    /** The last turns of all branches. */
    public Map<String, Turn> branches() {
        return branches.heads();
    }

    public ChatTemplate template() {
        return template;
    }

    public TextModel model() {
        return model;
    }

    LocalDateTime started() {
        return started;
    }

    int nextId() {
        return branches.nextId();
    }

    /** How the last answer was generated; null if there is none yet. */
    public Outcome outcome() {
        return outcome;
    }

    /** Snapshots in main memory. */
    public int snapshotsInMemory() {
        return snapshots.inMemory();
    }

    /** Snapshots on disk. */
    public int snapshotsOnDisk() {
        return files.count();
    }

    /** A copy of the state after a turn, for logits and scores; the caller closes it. */
    public TextSession memory(Turn turn) {
        TextSession copy = model.newSession();
        snapshots.restore(SnapshotKey.after(turn), copy, SILENT);
        return copy;
    }

    /**
     * Asks a question and lets the model answer. If the listener cancels while the model reads, nothing changes; while it
     * writes, the text so far is the answer.
     *
     * @return the new head, null if cancelled before the model began to answer
     * @throws ChatException if the template refuses
     */
    public Turn say(String text, GenerationOptions options, GenerationListener listener) throws IOException {
        return say(head(), text, options, listener);
    }

    /**
     * As {@link #say}, in place of the last question and its answer. These stay if the model does not come to answer.
     *
     * @throws ChatException also if nothing has been asked yet
     */
    public Turn sayInstead(String text, GenerationOptions options, GenerationListener listener) throws IOException {
        return say(lastExchange().parent(), text, options, listener);
    }

    private Turn say(Turn before, String typed, GenerationOptions options, GenerationListener listener)
            throws IOException {
        String text = Placeholder.without(typed);
        Turn question = Turn.question(branches.newId(), before, text, prompts.question(before, text));
        long start = System.nanoTime();
        GenerationListener reading = new PrefillRelay(listener, true);
        if (!goTo(question.prompt().base(), reading)) {
            return null;
        }
        liveAt = null;
        return Snapshots.replay(SnapshotKey.asked(question), live, reading)
                ? answer(question, start, options, listener)
                : null;
    }

    private Turn lastExchange() {
        if (!head().isExchange()) {
            throw new ChatException("nothing has been said yet");
        }
        return head();
    }

    /**
     * Lets the model answer the last question again, in place of its answer.
     *
     * @return the new head, null if cancelled before the model began to answer
     */
    public Turn retry(GenerationOptions options, GenerationListener listener) throws IOException {
        Turn old = lastExchange();
        long start = System.nanoTime();
        return goTo(SnapshotKey.asked(old), new PrefillRelay(listener, true))
                ? answer(old.askedAgain(branches.newId()), start, options, listener)
                : null;
    }

    /** Brings {@link #live} to a snapshot; false if the listener cancelled. */
    private boolean goTo(SnapshotKey key, GenerationListener listener) {
        if (key.equals(liveAt)) {
            return true;
        }
        liveAt = null;
        return snapshots.restore(key, live, listener);
    }

    /** @param start when the reading of the question began */
    private Turn answer(Turn question, long start, GenerationOptions options, GenerationListener listener)
            throws IOException {
        liveAt = null;
        snapshots.put(SnapshotKey.asked(question), live);
        long prefillNanos = System.nanoTime() - start;
        CollectingListener gathered = new CollectingListener();
        GenerationListener both = new GenerationListener() {
            @Override
            public void token(int id, String piece, Supplier<float[]> logits) {
                gathered.token(id, piece, logits);
                listener.token(id, piece, logits);
            }

            @Override
            public void text(String piece) {
                gathered.text(piece);
                listener.text(piece);
            }

            @Override
            public boolean cancelled() {
                return listener.cancelled();
            }
        };
        Outcome generated = live.generate(forTurn(options, question), both);
        outcome = new Outcome(
                generated.finishReason(),
                generated.stop(),
                generated.grammarComplete(),
                question.promptTokens(),
                generated.tokens(),
                prefillNanos,
                generated.decodeNanos());
        int[] ids = gathered.ids();
        boolean cut = outcome.finishReason() == FinishReason.STOP && outcome.stop() != null;
        if (cut) {
            // the model has read a part of the stop string: go back and read the answer alone
            ids = prompts.control().encodeUntrusted(gathered.text());
            snapshots.restore(SnapshotKey.asked(question), live, SILENT);
            live.feed(ids);
        }
        live.session().logits(); // so that what follows begins the same, however it is cut
        Turn turn = question.answered(
                new Answer(gathered.text(), ids, !cut, outcome.finishReason().toString()));
        moveTo(turn);
        return turn;
    }

    /** The ids that end an answer to the next question beside the model's own: a grammar must not contain them. */
    public Set<Integer> stopIds(GenerationOptions options) {
        Prompt nothing = new Prompt(SnapshotKey.after(head()), "", new int[0], 0);
        return forTurn(options, Turn.question(branches.nextId(), head(), "", nothing))
                .stopIds();
    }

    /** The options of one turn: its own seed, and beside the ends asked for those of the template. */
    private GenerationOptions forTurn(GenerationOptions options, Turn turn) {
        Set<String> stops = new LinkedHashSet<>(options.stop());
        stops.addAll(template.stops());
        Set<Integer> stopIds = new LinkedHashSet<>(options.stopIds());
        int end = prompts.endOfAnswer(turn);
        if (end >= 0) {
            stopIds.add(end);
        }
        long seed = options.sampling().seed() + turn.id();
        return options.withSampling(options.sampling().withSeed(seed))
                .withStop(List.copyOf(stops))
                .withStopIds(stopIds);
    }

    /**
     * Reads a document of any size to talk about; it opens the user's next message. Its ids are kept, its text is not.
     *
     * @param name to be shown for it
     * @return the new head, null if the listener cancelled; then nothing changes
     */
    public Turn read(String name, Reader text, GenerationListener listener) throws IOException {
        int id = branches.newId();
        Prompt before = prompts.document(head(), id);
        GenerationListener reading = new PrefillRelay(listener, false);
        if (!goTo(before.base(), reading)) {
            return null;
        }
        liveAt = null;
        int[] ids = before.ids();
        live.feed(ids, reading);
        Encoder encoder = prompts.control().untrustedEncoder();
        char[] piece = new char[1 << 16];
        boolean more = true;
        while (more) {
            int count = text.read(piece);
            more = count >= 0;
            int[] next = more ? encoder.append(new String(piece, 0, count)) : encoder.finish();
            if (!live.feed(next, reading)) {
                return null;
            }
            int length = ids.length;
            ids = Arrays.copyOf(ids, length + next.length);
            System.arraycopy(next, 0, ids, length, next.length);
        }
        Prompt prompt = new Prompt(before.base(), before.text(), ids, ids.length - before.ids().length);
        Turn turn = Turn.document(id, head(), name, prompt);
        moveTo(turn);
        return turn;
    }

    /** Makes a turn the head; {@link #live} is behind it. */
    private void moveTo(Turn turn) {
        liveAt = SnapshotKey.after(turn);
        snapshots.put(liveAt, live);
        branches.moveTo(turn);
        retainTurns();
    }

    /**
     * Takes the last turns back, never the beginning.
     *
     * @return them, oldest first; fewer than asked for if the conversation has no more
     */
    public List<Turn> undo(int turns) {
        List<Turn> undone = branches.undo(turns);
        retainTurns();
        return undone;
    }

    /**
     * Begins a branch here and makes it current.
     *
     * @throws ChatException if there is one of that name
     */
    public void fork(String name) {
        branches.fork(name);
    }

    /** Makes another branch current. */
    public void switchTo(String name) {
        branches.switchTo(name);
    }

    /** Deletes a branch and the turns that are on no other. */
    public void delete(String name) {
        branches.delete(name);
        retainTurns();
    }

    /**
     * Begins the current branch anew, after the state file that the conversation began after if there is one.
     *
     * @param system prompt, null for none
     * @return the branch that keeps the turns so far, null if there were none
     */
    public String restart(String system) {
        return branches.restart(system);
    }

    private void retainTurns() {
        Set<SnapshotKey> keys = new HashSet<>();
        for (Turn turn : turns()) {
            keys.add(SnapshotKey.asked(turn));
            keys.add(SnapshotKey.after(turn));
        }
        snapshots.retain(keys);
    }

    /** Queues the snapshots of the current turn for writing. */
    void saveHead() {
        snapshots.save(SnapshotKey.asked(head()));
        snapshots.save(SnapshotKey.after(head()));
    }

    /** Waits until all queued snapshots are on disk. */
    public void awaitStorage() {
        files.await();
    }

    /** The last failure to write a snapshot since this was last called, null if there was none. The conversation goes on: a missing snapshot is computed again. */
    public IOException takeStorageFailure() {
        return files.takeFailure();
    }

    /** All turns, each after its parent. */
    public Set<Turn> turns() {
        return branches.turns();
    }

    /** Leaves on disk the snapshots at the ends of all branches, and those for an undo and a retry of the current turn. */
    @Override
    public void close() {
        Set<SnapshotKey> kept = new HashSet<>();
        branches().values().forEach(turn -> kept.add(SnapshotKey.after(turn)));
        kept.add(SnapshotKey.asked(head()));
        if (head().parent() != null) {
            kept.add(SnapshotKey.after(head().parent()));
        }
        turns().stream()
                .filter(turn -> turn.kind() == Turn.Kind.STATE)
                .forEach(turn -> kept.add(SnapshotKey.after(turn)));
        kept.forEach(snapshots::save);
        snapshots.retain(kept);
        snapshots.close();
        live.close();
    }
}
