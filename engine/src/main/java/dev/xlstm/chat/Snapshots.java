package dev.xlstm.chat;

import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * The model's memory after each turn. Those used last stay in main memory within a budget, the others are on disk. One that
 * is nowhere any more is made again from the ids of its turn.
 */
final class Snapshots implements AutoCloseable {

    private static final int MAX_SPARE = 2;
    private static final int MAX_WAITING = 8; // tasks of the disk, some of which hold memory beyond the budget

    private final TextModel model;
    private final long budget; // bytes
    private final SnapshotFiles files;
    private final Map<Turn, TextSession> inMemory = new LinkedHashMap<>(16, 0.75f, true); // least recently used first

    /** Given up, for their memory: new pages cost more than the copying into them. */
    private final Queue<TextSession> spare = new ConcurrentLinkedQueue<>();

    /**
     * @param budget bytes of snapshots in main memory; the last one put is kept in any case
     * @param files for the others; closed with this
     */
    Snapshots(TextModel model, long budget, SnapshotFiles files) {
        this.model = model;
        this.budget = budget;
        this.files = files;
    }

    /** Keeps a copy of the memory as it is after a turn. */
    void put(Turn turn, TextSession session) {
        TextSession free = spare.poll();
        TextSession copy = free == null ? model.newSession() : free;
        copy.copyFrom(session);
        keep(turn, copy);
    }

    private void keep(Turn turn, TextSession session) {
        giveUp(inMemory.put(turn, session));
        long most = Math.max(1, budget / session.session().byteSize());
        Iterator<Map.Entry<Turn, TextSession>> oldest = inMemory.entrySet().iterator();
        while (inMemory.size() > most && oldest.hasNext()) {
            Map.Entry<Turn, TextSession> entry = oldest.next();
            if (entry.getKey() != turn && entry.getKey().kind() != Turn.Kind.STATE) { // which no ids could bring back
                oldest.remove();
                files.write(entry.getKey(), entry.getValue());
                giveUp(entry.getValue());
            }
        }
        if (files.waiting() > MAX_WAITING) {
            files.await();
        }
    }

    /** The files' thread may still be writing it: what it is told to do next comes after. */
    private void giveUp(TextSession session) {
        if (session != null) {
            files.afterwards(() -> {
                if (spare.size() < MAX_SPARE) {
                    spare.add(session);
                } else {
                    session.close();
                }
            });
        }
    }

    /**
     * Lets a session be as it was after a turn.
     *
     * @return false if the listener cancelled, which can happen only where turns must be read again; then the session is
     *     anywhere
     */
    boolean restore(Turn turn, TextSession session, GenerationListener listener) {
        Deque<Turn> missing = new ArrayDeque<>(); // from the last turn kept to this one
        Turn kept = turn;
        TextSession memory = null;
        while (kept != null && (memory = kept(kept)) == null) {
            if (kept.kind() == Turn.Kind.STATE) {
                throw new ChatException("the state '" + kept.text()
                        + "', after which this conversation began, is damaged or gone: it cannot go on");
            }
            missing.push(kept);
            kept = kept.parent();
        }
        if (memory != null) {
            session.copyFrom(memory);
        } else {
            try (TextSession empty = model.newSession()) {
                session.copyFrom(empty);
            }
        }
        for (Turn next : missing) {
            if (!replay(next, session, listener)) {
                return false;
            }
            if (!next.isBeginning()) {
                put(next, session);
            }
        }
        return true;
    }

    /** The memory after a turn, not to be changed; null if it is nowhere. */
    private TextSession kept(Turn turn) {
        TextSession session = inMemory.get(turn);
        if (session == null && !turn.isBeginning()) {
            session = files.read(turn);
            if (session != null) {
                keep(turn, session);
            }
        }
        return session;
    }

    /** Feeds a turn just as it was fed the first time: the same bits come out. False if the listener cancelled. */
    static boolean replay(Turn turn, TextSession session, GenerationListener listener) {
        if (!session.feed(turn.promptIds(), listener)) {
            return false;
        }
        if (turn.kind() != Turn.Kind.EXCHANGE) {
            return true;
        }
        session.session().logits();
        if (turn.decoded()) {
            for (int id : turn.answerIds()) {
                if (listener.cancelled()) {
                    return false;
                }
                session.session().logits();
                session.feed(id);
            }
        } else {
            session.feed(turn.answerIds());
        }
        session.session().logits();
        return true;
    }

    /** Has the memory after a turn written to disk. */
    void save(Turn turn) {
        TextSession session = inMemory.get(turn);
        if (session != null) {
            files.write(turn, session);
        }
    }

    /** Forgets all but these turns. */
    void retain(Set<Turn> turns) {
        Iterator<Map.Entry<Turn, TextSession>> all = inMemory.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<Turn, TextSession> entry = all.next();
            if (!turns.contains(entry.getKey())) {
                all.remove();
                giveUp(entry.getValue());
            }
        }
        files.retain(turns);
    }

    int inMemory() {
        return inMemory.size();
    }

    @Override
    public void close() {
        files.close();
        inMemory.values().forEach(TextSession::close);
        inMemory.clear();
        spare.forEach(TextSession::close);
        spare.clear();
    }
}
