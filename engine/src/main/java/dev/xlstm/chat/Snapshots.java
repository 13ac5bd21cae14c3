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
 * The model's memory at each place of a conversation. Those used last stay in main memory within a budget, the others are on
 * disk. One that is nowhere any more is made again from the ids that lead to it.
 */
final class Snapshots implements AutoCloseable {

    private static final int LEAST = 2; // a question, to have it answered again, and its answer
    private static final int MAX_SPARE = 2;
    private static final int MAX_WAITING = 8; // tasks of the disk, some of which hold memory beyond the budget

    private final TextModel model;
    private final long budget; // bytes
    private final SnapshotFiles files;
    private final Map<Place, TextSession> inMemory = new LinkedHashMap<>(16, 0.75f, true); // least recently used first

    /** Given up, for their memory: new pages cost more than the copying into them. */
    private final Queue<TextSession> spare = new ConcurrentLinkedQueue<>();

    /**
     * @param budget bytes of snapshots in main memory; the last two put are kept in any case
     * @param files for the others; closed with this
     */
    Snapshots(TextModel model, long budget, SnapshotFiles files) {
        this.model = model;
        this.budget = budget;
        this.files = files;
    }

    /** Keeps a copy of the memory as it is at a place. */
    void put(Place place, TextSession session) {
        TextSession free = spare.poll();
        TextSession copy = free == null ? model.newSession() : free;
        copy.copyFrom(session);
        keep(place, copy);
    }

    private void keep(Place place, TextSession session) {
        giveUp(inMemory.put(place, session));
        long most = Math.max(LEAST, budget / session.session().byteSize());
        Iterator<Map.Entry<Place, TextSession>> oldest = inMemory.entrySet().iterator();
        while (inMemory.size() > most && oldest.hasNext()) {
            Map.Entry<Place, TextSession> entry = oldest.next();
            if (!entry.getKey().equals(place) && !entry.getKey().isState()) {
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
     * Lets a session be as it was at a place.
     *
     * @return false if the listener cancelled, which can happen only where turns must be read again; then the session is
     *     anywhere
     */
    boolean restore(Place place, TextSession session, GenerationListener listener) {
        Deque<Place> missing = new ArrayDeque<>(); // from the last place kept to this one
        Place kept = place;
        TextSession memory = null;
        while (kept != null && (memory = kept(kept)) == null) {
            if (kept.isState()) {
                throw new ChatException("the state '" + kept.turn().text()
                        + "', after which this conversation began, is damaged or gone: it cannot go on");
            }
            missing.push(kept);
            kept = kept.before();
        }
        if (memory != null) {
            session.copyFrom(memory);
        } else {
            try (TextSession empty = model.newSession()) {
                session.copyFrom(empty);
            }
        }
        for (Place next : missing) {
            if (!replay(next, session, listener)) {
                return false;
            }
            if (!next.turn().isBeginning() && (!next.asked() || next == place)) {
                put(next, session);
            }
        }
        return true;
    }

    /** The memory at a place, not to be changed; null if it is nowhere. */
    private TextSession kept(Place place) {
        TextSession session = inMemory.get(place);
        if (session == null && !place.turn().isBeginning()) {
            session = files.read(place);
            if (session != null) {
                keep(place, session);
            }
        }
        return session;
    }

    /** Feeds what leads to a place just as it was fed the first time: the same bits come out. False if the listener cancelled. */
    static boolean replay(Place place, TextSession session, GenerationListener listener) {
        Turn turn = place.turn();
        if (turn.kind() != Turn.Kind.EXCHANGE) {
            return session.feed(turn.promptIds(), listener);
        }
        if (place.asked()) {
            boolean read = session.feed(turn.promptIds(), listener);
            if (read) {
                session.session().logits(); // so that what follows begins the same, however it is cut
            }
            return read;
        }
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
        session.session().logits(); // likewise
        return true;
    }

    /** Has the memory at a place written to disk. */
    void save(Place place) {
        TextSession session = inMemory.get(place);
        if (session != null) {
            files.write(place, session);
        }
    }

    /** Forgets all places but those that are wanted. */
    void retain(Set<Place> wanted) {
        Iterator<Map.Entry<Place, TextSession>> all = inMemory.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<Place, TextSession> entry = all.next();
            if (!wanted.contains(entry.getKey())) {
                all.remove();
                giveUp(entry.getValue());
            }
        }
        files.retain(wanted);
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
