package dev.xlstm.chat;

import dev.xlstm.generation.FinishReason;
import dev.xlstm.generation.Gatherer;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.tokenizer.Encoder;
import dev.xlstm.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * A conversation as a tree of turns, and the model's memory after each. Branches are names for places in it; one is current.
 * Only what is new in a turn is fed; undoing and switching feed nothing. Not thread-safe.
 */
public final class Conversation implements AutoCloseable {

    /** The branch a conversation begins with. */
    public static final String MAIN = "main";

    private static final List<UnaryOperator<String>> STRIPPINGS =
            List.of(UnaryOperator.identity(), String::strip, String::stripLeading, String::stripTrailing);

    private static final GenerationListener SILENT = new GenerationListener() {};

    private final TextModel model;
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final UntrustedText untrusted;
    private final SnapshotFiles files;
    private final Snapshots snapshots;
    private final LocalDateTime started; // what templates take for today, lest they change their words at midnight
    private final Map<String, Turn> branches = new LinkedHashMap<>();
    private String branch = MAIN;
    private int nextId;
    private final TextSession live; // goes on from turn to turn
    private Turn liveAt; // the turn it stands behind, null if none
    private Outcome outcome;

    /**
     * Where the memories after turns are kept.
     *
     * @param memoryBytes of main memory for them; two are kept in any case
     * @param directory for the others; must exist and be the conversation's alone; null to keep none of them
     * @param diskBytes of files there; beyond it the oldest are deleted, to be made again when they are needed
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
            first = Turn.state(nextId++, stateName, state.position());
            snapshots.put(Place.after(first), state);
            snapshots.save(Place.after(first));
        }
        branches.put(MAIN, beginning(first, system));
    }

    Conversation(TextModel model, ChatTemplate template, Storage storage, LocalDateTime started) throws IOException {
        this.model = model;
        this.template = template;
        this.started = started;
        tokenizer = model.tokenizer()
                .orElseThrow(() -> new ChatException("the model has no tokenizer.json: it cannot converse"));
        untrusted = new UntrustedText(tokenizer);
        files = new SnapshotFiles(model, storage.directory(), storage.diskBytes());
        snapshots = new Snapshots(model, storage.memoryBytes(), files);
        live = model.newSession();
    }

    /** Takes over what was saved. */
    void restore(Map<String, Turn> savedBranches, String current, int next) {
        branches.putAll(savedBranches);
        branch = current;
        nextId = next;
    }

    private Turn beginning(Turn state, String system) {
        return Turn.beginning(nextId++, state, system == null || system.isBlank() ? null : system);
    }

    /** The last turn of the current branch. */
    public Turn head() {
        return branches.get(branch);
    }

    public String branch() {
        return branch;
    }

    /** The last turns of all branches. */
    public Map<String, Turn> branches() {
        return Collections.unmodifiableMap(branches);
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
        return nextId;
    }

    /** How the last answer was made; null if there is none yet. */
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

    /** A copy of the memory at a turn, for logits and scores; to be closed. */
    public TextSession memory(Turn turn) {
        TextSession copy = model.newSession();
        snapshots.restore(Place.after(turn), copy, SILENT);
        return copy;
    }

    /**
     * What the template adds for a message of the user, after checking that its rendering of the whole begins with what the
     * model has read. White space around answers is the model's own and may differ.
     */
    private String rendered(Turn head, String content) {
        List<Message> messages = head.messages(untrusted);
        messages.add(new Message("user", content));
        String whole = opening(head) + template.render(messages, true, started);
        List<Turn> path = head.path();
        for (UnaryOperator<String> stripping : STRIPPINGS) {
            StringBuilder read = new StringBuilder();
            for (Turn turn : path) {
                read.append(turn.prompt()).append(turn.answer() == null ? "" : stripping.apply(turn.answer()));
            }
            if (whole.startsWith(read.toString())) {
                return whole.substring(read.length());
            }
        }
        throw new ChatException(
                "the chat template would now render earlier turns in other words than the model has read"
                        + " (some drop parts of earlier answers): this conversation cannot go on; /undo or /reset it");
    }

    /** What parts a conversation from the state it begins after: templates of a model's own begin with a mark of theirs. */
    private String opening(Turn head) {
        return template.isPlain() && head.beginning().position() > 0 ? "\n\n" : "";
    }

    /** The ids of a rendered text: with the token that begins a text at the beginning, and nowhere else. */
    private int[] encode(Turn head, String prompt) {
        int[] ids = untrusted.encode(prompt);
        if (!head.isBeginning() || model.specialTokens().bos().isEmpty()) {
            return ids;
        }
        int bos = model.specialTokens().bos().getAsInt();
        boolean has = ids.length > 0 && ids[0] == bos;
        if (head.position() > 0) {
            return has ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
        }
        return has || !model.specialTokens().prependBos()
                ? ids
                : IntStream.concat(IntStream.of(bos), IntStream.of(ids)).toArray();
    }

    /** Brings {@link #live} behind a turn; false if the listener cancelled. */
    private boolean goTo(Turn turn, GenerationListener listener) {
        if (liveAt == turn) {
            return true;
        }
        liveAt = null;
        return snapshots.restore(Place.after(turn), live, listener);
    }

    /**
     * What is told of reading: ids of all that is read for one step together, and no text, of which a state may hold back
     * the end of its own.
     */
    private static final class Reading implements GenerationListener {
        private final GenerationListener listener;
        private final boolean endKnown;
        private int before; // ids of what is finished

        Reading(GenerationListener listener, boolean endKnown) {
            this.listener = listener;
            this.endKnown = endKnown;
        }

        @Override
        public void prefill(int done, int total) {
            listener.prefill(before + done, endKnown ? before + total : -1);
            before += done == total ? total : 0;
        }

        @Override
        public boolean cancelled() {
            return listener.cancelled();
        }
    }

    /**
     * Says something and lets the model answer. If the listener cancels while the model reads, nothing has been said; while
     * it writes, what it wrote so far is the answer.
     *
     * @return the new head, null if cancelled before the model spoke
     * @throws ChatException if the template refuses
     */
    public Turn say(String text, GenerationOptions options, GenerationListener listener) throws IOException {
        return say(head(), text, options, listener);
    }

    /**
     * As {@link #say}, in place of the last question and its answer. These stay if the model does not come to speak.
     *
     * @throws ChatException also if nothing has been said yet
     */
    public Turn sayInstead(String text, GenerationOptions options, GenerationListener listener) throws IOException {
        return say(lastExchange().parent(), text, options, listener);
    }

    private Turn say(Turn before, String text, GenerationOptions options, GenerationListener listener)
            throws IOException {
        String prompt = rendered(before, before.openDocuments() + untrusted.marked(text));
        int[] ids = encode(before, prompt);
        return ask(Turn.question(nextId++, before, text, prompt, ids), options, listener);
    }

    private Turn lastExchange() {
        if (head().kind() != Turn.Kind.EXCHANGE) {
            throw new ChatException("nothing has been said yet");
        }
        return head();
    }

    /**
     * Lets the model answer the last question once more, in place of its answer.
     *
     * @return the new head, null if cancelled before the model spoke
     */
    public Turn retry(GenerationOptions options, GenerationListener listener) throws IOException {
        Turn old = lastExchange();
        Turn question = old.askedAgain(nextId++);
        long start = System.nanoTime();
        liveAt = null;
        return snapshots.restore(Place.asked(old), live, new Reading(listener, true))
                ? answer(question, start, options, listener)
                : null;
    }

    private Turn ask(Turn question, GenerationOptions options, GenerationListener listener) throws IOException {
        long start = System.nanoTime();
        GenerationListener reading = new Reading(listener, true);
        if (!goTo(question.parent(), reading)) {
            return null;
        }
        liveAt = null;
        return Snapshots.replay(Place.asked(question), live, reading)
                ? answer(question, start, options, listener)
                : null;
    }

    /** @param start when the reading of the question began */
    private Turn answer(Turn question, long start, GenerationOptions options, GenerationListener listener)
            throws IOException {
        snapshots.put(Place.asked(question), live);
        long prefillNanos = System.nanoTime() - start;
        Gatherer gathered = new Gatherer() {
            @Override
            public void text(String piece) {
                super.text(piece);
                listener.text(piece);
            }

            @Override
            public boolean cancelled() {
                return listener.cancelled();
            }
        };
        Outcome generated = live.generate(forTurn(options, question), gathered);
        outcome = new Outcome(
                generated.finishReason(),
                generated.stop(),
                generated.grammarComplete(),
                question.promptIds().length,
                generated.tokens(),
                prefillNanos,
                generated.decodeNanos());
        int[] ids = gathered.ids();
        boolean cut = outcome.finishReason() == FinishReason.STOP && outcome.stop() != null;
        if (cut) {
            // the model has read a part of the stop string: back, and read the answer alone
            ids = tokenizer.encode(gathered.text(), false);
            snapshots.restore(Place.asked(question), live, SILENT);
            live.feed(ids);
        }
        live.session().logits(); // so that what follows begins the same, however it is cut
        Turn turn = question.answered(
                gathered.text(), ids, !cut, outcome.finishReason().toString());
        liveAt = turn;
        snapshots.put(Place.after(turn), live);
        moveTo(turn);
        return turn;
    }

    /** The turn's own draws, and its ends: those of the template beside those asked for. */
    private GenerationOptions forTurn(GenerationOptions options, Turn turn) {
        Set<String> stops = new LinkedHashSet<>(options.stop());
        stops.addAll(template.stops());
        Set<Integer> stopIds = new LinkedHashSet<>(options.stopIds());
        int end = endOfAnswer(turn);
        if (end >= 0) {
            stopIds.add(end);
        }
        long seed = options.sampling().seed() + turn.id();
        return options.withSampling(options.sampling().toBuilder().seed(seed).build())
                .withStop(List.copyOf(stops))
                .withStopIds(stopIds);
    }

    /** The special token that the template writes after an answer, -1 if it writes something else. */
    private int endOfAnswer(Turn turn) {
        String answer = UntrustedText.placeholder(turn.id());
        List<Message> messages = turn.parent().messages(untrusted);
        messages.add(new Message("user", turn.parent().openDocuments() + untrusted.marked(turn.text())));
        messages.add(new Message("assistant", answer));
        String whole;
        try {
            whole = template.render(messages, false, started);
        } catch (ChatException e) {
            return -1;
        }
        int at = whole.lastIndexOf(answer);
        return at < 0
                ? -1
                : untrusted.firstToken(whole.substring(at + answer.length()).stripLeading());
    }

    /**
     * Reads a text of any size to be talked about, as the beginning of the user's next words. Its ids are kept, its text is
     * not.
     *
     * @param name to be shown for it
     * @return the new head, null if the listener cancelled; then nothing has been read
     */
    public Turn read(String name, Reader text, GenerationListener listener) throws IOException {
        Turn head = head();
        int id = nextId++;
        String place = UntrustedText.placeholder(id);
        String prompt = rendered(head, head.openDocuments() + place);
        int end = prompt.indexOf(place);
        if (end < 0) {
            throw new ChatException("the chat template does not show what the user says: nothing can be read into it");
        }
        GenerationListener reading = new Reading(listener, false);
        if (!goTo(head, reading)) {
            return null;
        }
        liveAt = null;
        int[] ids = encode(head, prompt.substring(0, end));
        live.feed(ids, reading);
        Encoder encoder = tokenizer.encoder(false);
        char[] piece = new char[1 << 16];
        boolean more = true;
        while (more) {
            int count = text.read(piece);
            more = count >= 0;
            int[] next = more ? encoder.append(new String(piece, 0, count)) : encoder.finish();
            if (!live.feed(next, reading)) {
                return null;
            }
            int before = ids.length;
            ids = Arrays.copyOf(ids, before + next.length);
            System.arraycopy(next, 0, ids, before, next.length);
        }
        Turn turn = Turn.document(id, head, name, prompt.substring(0, end + place.length()), ids);
        liveAt = turn;
        snapshots.put(Place.after(turn), live);
        moveTo(turn);
        return turn;
    }

    private void moveTo(Turn turn) {
        branches.put(branch, turn);
        retainTurns();
    }

    /**
     * Takes the last turns back, never the beginning.
     *
     * @return them, oldest first; fewer than asked for if the conversation has no more
     */
    public List<Turn> undo(int turns) {
        List<Turn> path = head().path();
        int first = path.indexOf(head().beginning()) + 1;
        int keep = Math.max(first, path.size() - Math.max(0, turns));
        moveTo(path.get(keep - 1));
        return path.subList(keep, path.size());
    }

    /**
     * Begins a branch here and goes on with it.
     *
     * @throws ChatException if there is one of that name
     */
    public void fork(String name) {
        if (branches.containsKey(name)) {
            throw new ChatException("there is a branch '" + name + "' already; /switch " + name + " goes to it");
        }
        if (isNoName(name) || name.length() > 64) {
            throw new ChatException("a branch needs a name of up to 64 characters, without blanks");
        }
        branches.put(name, head());
        branch = name;
    }

    /** Whether the name of a branch could not be typed, or would not stay in a line. */
    static boolean isNoName(String name) {
        return name.isBlank() || name.chars().anyMatch(c -> c <= ' ' || Character.isISOControl(c));
    }

    /** Goes on with another branch. */
    public void switchTo(String name) {
        branch = known(name);
    }

    /** Forgets a branch, and the turns that are on no other. */
    public void delete(String name) {
        if (known(name).equals(branch)) {
            throw new ChatException("'" + name + "' is the current branch; /switch to another before");
        }
        branches.remove(name);
        retainTurns();
    }

    private String known(String name) {
        if (!branches.containsKey(name)) {
            throw new ChatException("no branch '" + name + "'; there are " + String.join(", ", branches.keySet()));
        }
        return name;
    }

    /**
     * Begins the current branch anew, after the state that the conversation began after if there is one.
     *
     * @param system prompt, null for none
     * @return the name under which the turns so far are kept, null if there were none
     */
    public String restart(String system) {
        String kept = null;
        if (!head().isBeginning()) {
            int n = 1;
            while (branches.containsKey(branch + "." + n)) {
                n++;
            }
            kept = branch + "." + n;
            branches.put(kept, head());
        }
        branches.put(branch, beginning(head().beginning().parent(), system));
        return kept;
    }

    private void retainTurns() {
        Set<Place> places = new HashSet<>();
        for (Turn turn : turns()) {
            places.add(Place.asked(turn));
            places.add(Place.after(turn));
        }
        snapshots.retain(places);
    }

    /** Has the memories of the current turn put on disk, without waiting for it. */
    void saveHead() {
        snapshots.save(Place.asked(head()));
        snapshots.save(Place.after(head()));
    }

    /** Waits until the disk has what it was to be given. */
    public void awaitStorage() {
        files.await();
    }

    /** What went wrong on disk since this was last asked, null if nothing did: a memory that is not there is made again. */
    public IOException takeStorageFailure() {
        return files.takeFailure();
    }

    /** All turns, each after its parent. */
    public Set<Turn> turns() {
        Set<Turn> turns = new LinkedHashSet<>();
        branches.values().forEach(head -> turns.addAll(head.path()));
        return turns;
    }

    /** Leaves on disk the memories at the ends of all branches, and of the current turn those for an undo and a retry. */
    @Override
    public void close() {
        Set<Place> kept = new HashSet<>();
        branches.values().forEach(turn -> kept.add(Place.after(turn)));
        kept.add(Place.asked(head()));
        if (head().parent() != null) {
            kept.add(Place.after(head().parent()));
        }
        turns().stream().filter(turn -> turn.kind() == Turn.Kind.STATE).forEach(turn -> kept.add(Place.after(turn)));
        kept.forEach(snapshots::save);
        snapshots.retain(kept);
        snapshots.close();
        live.close();
    }
}
