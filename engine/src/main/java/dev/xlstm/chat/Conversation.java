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
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A conversation as a tree of turns, and the model's memory after each. Branches are names for places in it; one is current.
 * Only what is new in a turn is fed; undoing and switching feed nothing. Not thread-safe.
 */
public final class Conversation implements AutoCloseable {

    /** The branch a conversation begins with. */
    public static final String MAIN = "main";

    private static final List<UnaryOperator<String>> STRIPPINGS =
            List.of(UnaryOperator.identity(), String::strip, String::stripLeading, String::stripTrailing);

    private final TextModel model;
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final UntrustedText untrusted;
    private final Snapshots snapshots;
    private final LocalDateTime started; // what templates take for today, lest they change their words at midnight
    private final Map<String, Turn> branches = new LinkedHashMap<>();
    private String branch = MAIN;
    private int nextId;
    private Turn askedFor; // the turn whose question, without its answer, is in
    private TextSession asked;
    private Outcome outcome;

    /** A conversation that has not begun. */
    public Conversation(TextModel model, ChatTemplate template, String system, long snapshotBytes, Path directory)
            throws IOException {
        this(model, template, snapshotBytes, directory, LocalDateTime.now());
        branches.put(MAIN, beginning(system));
    }

    Conversation(TextModel model, ChatTemplate template, long snapshotBytes, Path directory, LocalDateTime started)
            throws IOException {
        this.model = model;
        this.template = template;
        this.started = started;
        tokenizer = model.tokenizer()
                .orElseThrow(() -> new ChatException("the model has no tokenizer.json: it cannot converse"));
        untrusted = new UntrustedText(tokenizer);
        snapshots = new Snapshots(model, snapshotBytes, directory);
    }

    /** Takes over what was saved. */
    void restore(Map<String, Turn> savedBranches, String current, int next) {
        branches.putAll(savedBranches);
        branch = current;
        nextId = next;
    }

    private Turn beginning(String system) {
        return Turn.beginning(nextId++, system == null || system.isBlank() ? null : system);
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
        return snapshots.onDisk();
    }

    /** A copy of the memory at a turn, for logits and scores; to be closed. */
    public TextSession memory(Turn turn) throws IOException {
        return snapshots.copy(turn);
    }

    /**
     * What the template adds for a message of the user, after checking that its rendering of the whole begins with what the
     * model has read. White space around answers is the model's own and may differ.
     */
    private String rendered(Turn head, String content) {
        List<Message> messages = head.messages(untrusted);
        messages.add(new Message("user", content));
        String whole = template.render(messages, true, started);
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

    private int[] encode(Turn head, String prompt) {
        int[] ids = untrusted.encode(prompt);
        boolean first = head.position() == 0;
        boolean bos = first && model.specialTokens().prependBos();
        if (!bos || ids.length > 0 && ids[0] == model.specialTokens().bos().getAsInt()) {
            return ids;
        }
        int[] prefixed = new int[ids.length + 1];
        prefixed[0] = model.specialTokens().bos().getAsInt();
        System.arraycopy(ids, 0, prefixed, 1, ids.length);
        return prefixed;
    }

    /**
     * Says something and lets the model answer. If the listener cancels while the model reads, nothing has been said; while
     * it writes, what it wrote so far is the answer.
     *
     * @return the new head, null if cancelled before the model spoke
     * @throws ChatException if the template refuses
     */
    public Turn say(String text, GenerationOptions options, GenerationListener listener) throws IOException {
        Turn head = head();
        String prompt = rendered(head, head.openDocuments() + untrusted.marked(text));
        int[] ids = encode(head, prompt);
        long start = System.nanoTime();
        TextSession session = snapshots.copy(head);
        if (!session.feed(ids, listener)) {
            session.close();
            return null;
        }
        Turn question =
                new Turn(nextId++, head, Turn.Kind.EXCHANGE, text, prompt, ids, "", new int[0], true, "interrupted");
        return answer(question, session, start, options, listener);
    }

    /** Lets the model answer the last question once more, in place of its answer. Feeds nothing again. */
    public Turn retry(GenerationOptions options, GenerationListener listener) throws IOException {
        Turn old = head();
        if (old.kind() != Turn.Kind.EXCHANGE) {
            throw new ChatException("nothing to answer yet");
        }
        long start = System.nanoTime();
        TextSession session;
        if (askedFor == old) {
            session = asked.fork();
        } else {
            session = snapshots.copy(old.parent()); // the question alone is read again
            session.feed(old.promptIds());
        }
        Turn question = new Turn(
                nextId++,
                old.parent(),
                Turn.Kind.EXCHANGE,
                old.text(),
                old.prompt(),
                old.promptIds(),
                "",
                new int[0],
                true,
                "interrupted");
        return answer(question, session, start, options, listener);
    }

    /**
     * @param read has read the question
     * @param start when that began
     */
    private Turn answer(
            Turn question, TextSession read, long start, GenerationOptions options, GenerationListener listener)
            throws IOException {
        read.session().logits(); // so that what follows begins the same, however it is cut
        long prefillNanos = System.nanoTime() - start;
        TextSession session = read;
        TextSession before = session.fork();
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
        Outcome generated = session.generate(forTurn(options, question), gathered);
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
            session.close();
            session = before.fork();
            session.feed(ids);
        }
        session.session().logits(); // as before
        Turn turn = new Turn(
                question.id(),
                question.parent(),
                Turn.Kind.EXCHANGE,
                question.text(),
                question.prompt(),
                question.promptIds(),
                gathered.text(),
                ids,
                !cut,
                outcome.finishReason().toString());
        if (asked != null) {
            asked.close();
        }
        asked = before;
        askedFor = turn;
        snapshots.put(turn, session);
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
        TextSession session = snapshots.copy(head);
        int[] ids = encode(head, prompt.substring(0, end));
        session.feed(ids);
        Encoder encoder = tokenizer.encoder(false);
        char[] piece = new char[1 << 16];
        boolean more = true;
        while (more) {
            int count = text.read(piece);
            more = count >= 0;
            int[] next = more ? encoder.append(new String(piece, 0, count)) : encoder.finish();
            if (!session.feed(next, listener)) {
                session.close();
                return null;
            }
            int before = ids.length;
            ids = Arrays.copyOf(ids, before + next.length);
            System.arraycopy(next, 0, ids, before, next.length);
        }
        Turn turn = new Turn(
                id,
                head,
                Turn.Kind.DOCUMENT,
                name,
                prompt.substring(0, end + place.length()),
                ids,
                null,
                new int[0],
                false,
                null);
        snapshots.put(turn, session);
        moveTo(turn);
        return turn;
    }

    private void moveTo(Turn turn) throws IOException {
        branches.put(branch, turn);
        forgetUnreachable();
    }

    private void forgetUnreachable() throws IOException {
        Set<Turn> reachable = new LinkedHashSet<>();
        branches.values().forEach(head -> reachable.addAll(head.path()));
        snapshots.retain(reachable);
    }

    /**
     * Takes the last turns back.
     *
     * @return them, oldest first; fewer than asked for if the conversation has no more
     */
    public List<Turn> undo(int turns) throws IOException {
        List<Turn> path = head().path();
        int keep = Math.max(1, path.size() - Math.max(0, turns));
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
        if (name.isBlank() || name.length() > 64 || name.chars().anyMatch(c -> c <= ' ' || Character.isISOControl(c))) {
            throw new ChatException("a branch needs a name of up to 64 characters, without blanks");
        }
        branches.put(name, head());
        branch = name;
    }

    /** Goes on with another branch. */
    public void switchTo(String name) {
        branch = known(name);
    }

    /** Forgets a branch, and the turns that are on no other. */
    public void delete(String name) throws IOException {
        if (known(name).equals(branch)) {
            throw new ChatException("'" + name + "' is the current branch; /switch to another before");
        }
        branches.remove(name);
        forgetUnreachable();
    }

    private String known(String name) {
        if (!branches.containsKey(name)) {
            throw new ChatException("no branch '" + name + "'; there are " + String.join(", ", branches.keySet()));
        }
        return name;
    }

    /**
     * Begins the current branch anew.
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
        branches.put(branch, beginning(system));
        return kept;
    }

    /** Puts the memory of the current turn on disk, if it is not there. */
    void saveHead() throws IOException {
        snapshots.save(head());
    }

    /** All turns, each after its parent. */
    public Collection<Turn> turns() {
        Set<Turn> turns = new LinkedHashSet<>();
        branches.values().forEach(head -> turns.addAll(head.path()));
        return turns;
    }

    @Override
    public void close() {
        if (asked != null) {
            asked.close();
            asked = null;
        }
        snapshots.close();
    }
}
