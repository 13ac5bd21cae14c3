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
 * The states of a conversation at its {@link SnapshotKey}s. Those used last stay in main memory within a budget, the others
 * are on disk. A state that is in neither is computed again from the ids that lead to it.
 */
final class Snapshots implements AutoCloseable {

    private static final int LEAST = 2; // the last question, for a retry, and its answer
    private static final int MAX_SPARE = 2;
    private static final int MAX_QUEUED = 8; // tasks of the disk, some of which hold memory beyond the budget

    private final TextModel model;
    private final long budget; // bytes
    private final SnapshotFiles files;
    private final Map<SnapshotKey, TextSession> inMemory =
            new LinkedHashMap<>(16, 0.75f, true); // least recently used first

    /** Dropped sessions to reuse: touching new pages costs more than copying a state into old ones. */
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

    /** Keeps a copy of a session's state. */
    void put(SnapshotKey key, TextSession session) {
        TextSession free = spare.poll();
        TextSession copy = free == null ? model.newSession() : free;
        copy.copyFrom(session);
        keep(key, copy);
    }

    private void keep(SnapshotKey key, TextSession session) {
        drop(inMemory.put(key, session));
        long most = Math.max(LEAST, budget / session.session().byteSize());
        Iterator<Map.Entry<SnapshotKey, TextSession>> oldest =
                inMemory.entrySet().iterator();
        while (inMemory.size() > most && oldest.hasNext()) {
            Map.Entry<SnapshotKey, TextSession> entry = oldest.next();
            if (!entry.getKey().equals(key) && !entry.getKey().isStateFile()) {
                oldest.remove();
                files.write(entry.getKey(), entry.getValue());
                drop(entry.getValue());
            }
        }
        if (files.queued() > MAX_QUEUED) {
            files.await();
        }
    }

    /** Frees a session, on the writing thread since that may still be reading it. */
    private void drop(TextSession session) {
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
     * Brings a session to the state of a snapshot.
     *
     * @return false if the listener cancelled, which can happen only where turns must be read again; the session's state is
     *     then undefined
     */
    boolean restore(SnapshotKey key, TextSession session, GenerationListener listener) {
        Deque<SnapshotKey> missing = new ArrayDeque<>(); // after the last one kept, in order
        SnapshotKey kept = key;
        TextSession memory = null;
        while (kept != null && (memory = kept(kept)) == null) {
            if (kept.isStateFile()) {
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
        for (SnapshotKey next : missing) {
            if (!replay(next, session, listener)) {
                return false;
            }
            if (!next.turn().isBeginning() && (!next.asked() || next == key)) {
                put(next, session);
            }
        }
        return true;
    }

    /** The session of a snapshot, not to be changed; null if there is none. */
    private TextSession kept(SnapshotKey key) {
        TextSession session = inMemory.get(key);
        if (session == null && !key.turn().isBeginning()) {
            session = files.read(key);
            if (session != null) {
                keep(key, session);
            }
        }
        return session;
    }

    /**
     * Feeds the ids that lead to a snapshot from the one before it, in the same steps as the first time, which makes the
     * state the same to the bit.
     *
     * @return false if the listener cancelled
     */
    static boolean replay(SnapshotKey key, TextSession session, GenerationListener listener) {
        Turn turn = key.turn();
        if (!turn.isExchange()) {
            return session.feed(key.ownIds(), listener);
        }
        if (key.asked() || !turn.answer().decoded()) {
            if (!session.feed(key.ownIds(), listener)) {
                return false;
            }
        } else {
            for (int id : key.ownIds()) {
                if (listener.cancelled()) {
                    return false;
                }
                session.session().logits();
                session.feed(id);
            }
        }
        session.session().logits(); // so that what follows begins the same, however it is cut
        return true;
    }

    /** Queues a snapshot for writing to disk. */
    void save(SnapshotKey key) {
        TextSession session = inMemory.get(key);
        if (session != null) {
            files.write(key, session);
        }
    }

    /** Drops all snapshots but those of these keys. */
    void retain(Set<SnapshotKey> wanted) {
        Iterator<Map.Entry<SnapshotKey, TextSession>> all = inMemory.entrySet().iterator();
        while (all.hasNext()) {
            Map.Entry<SnapshotKey, TextSession> entry = all.next();
            if (!wanted.contains(entry.getKey())) {
                all.remove();
                drop(entry.getValue());
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
