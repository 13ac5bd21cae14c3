package dev.xlstm.chat;

import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import dev.xlstm.safetensors.DType;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The model's memory after each turn. Those used last stay in main memory within a budget, the others are on disk. One that
 * is nowhere any more is made again from the ids of its turn.
 */
final class Snapshots implements AutoCloseable {

    private final TextModel model;
    private final long budget; // bytes
    private final Path directory;
    private final Map<Integer, TextSession> inMemory =
            new LinkedHashMap<>(16, 0.75f, true); // least recently used first
    private final Set<Integer> onDisk = new HashSet<>();

    /**
     * @param budget bytes of snapshots in main memory; one is kept in any case
     * @param directory for the others; must exist
     */
    Snapshots(TextModel model, long budget, Path directory) throws IOException {
        this.model = model;
        this.budget = budget;
        this.directory = directory;
        try (Stream<Path> files = Files.list(directory)) {
            files.forEach(file -> {
                String name = file.getFileName().toString();
                if (name.matches("turn-\\d{1,9}\\.safetensors")) {
                    onDisk.add(Integer.parseInt(name.substring(5, name.indexOf('.'))));
                }
            });
        }
    }

    private Path file(int id) {
        return directory.resolve("turn-" + id + ".safetensors");
    }

    /** Takes over the memory as it is after a turn. */
    void put(Turn turn, TextSession session) throws IOException {
        TextSession before = inMemory.put(turn.id(), session);
        if (before != null) {
            before.close();
        }
        keepWithinBudget();
    }

    private void keepWithinBudget() throws IOException {
        long most = Math.max(
                1, budget / inMemory.values().iterator().next().session().byteSize());
        Iterator<Map.Entry<Integer, TextSession>> oldest = inMemory.entrySet().iterator();
        while (inMemory.size() > most) {
            Map.Entry<Integer, TextSession> entry = oldest.next();
            save(entry.getKey(), entry.getValue());
            entry.getValue().close();
            oldest.remove();
        }
    }

    /** A copy of the memory as it was after a turn. */
    TextSession copy(Turn turn) throws IOException {
        if (turn.isBeginning()) {
            return model.newSession();
        }
        TextSession kept = inMemory.get(turn.id());
        if (kept == null) {
            kept = onDisk.contains(turn.id()) ? read(turn) : null;
            put(turn, kept != null ? kept : replayed(turn));
            kept = inMemory.get(turn.id());
        }
        return kept.fork();
    }

    /** Null if the file is damaged or gone. */
    private TextSession read(Turn turn) {
        try {
            TextSession session = model.resume(file(turn.id()));
            if (session.position() == turn.position()) {
                return session;
            }
            session.close();
        } catch (IOException e) {
            // the ids say the same, in more time
        }
        onDisk.remove(turn.id());
        return null;
    }

    private TextSession replayed(Turn turn) throws IOException {
        TextSession session = copy(turn.parent());
        replay(turn, session);
        return session;
    }

    /** Feeds a turn just as it was fed the first time: the same bits come out. */
    static void replay(Turn turn, TextSession session) {
        session.feed(turn.promptIds());
        if (turn.kind() != Turn.Kind.EXCHANGE) {
            return;
        }
        session.session().logits();
        if (turn.decoded()) {
            for (int id : turn.answerIds()) {
                session.session().logits();
                session.feed(id);
            }
        } else {
            session.feed(turn.answerIds());
        }
        session.session().logits();
    }

    /** Writes the memory after a turn to disk, if it is not there. */
    void save(Turn turn) throws IOException {
        TextSession session = inMemory.get(turn.id());
        if (session != null) {
            save(turn.id(), session);
        }
    }

    private void save(int id, TextSession session) throws IOException {
        if (onDisk.contains(id)) {
            return;
        }
        boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
        FileAttribute<?>[] mine = posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
        session.save(file(id), DType.F32, mine);
        onDisk.add(id);
    }

    /** Forgets all but these turns. */
    void retain(Collection<Turn> turns) throws IOException {
        Set<Integer> ids = new HashSet<>();
        turns.forEach(turn -> ids.add(turn.id()));
        for (int id : Set.copyOf(inMemory.keySet())) {
            if (!ids.contains(id)) {
                inMemory.remove(id).close();
            }
        }
        for (int id : Set.copyOf(onDisk)) {
            if (!ids.contains(id)) {
                Files.deleteIfExists(file(id));
                onDisk.remove(id);
            }
        }
    }

    int inMemory() {
        return inMemory.size();
    }

    int onDisk() {
        return onDisk.size();
    }

    @Override
    public void close() {
        inMemory.values().forEach(TextSession::close);
        inMemory.clear();
    }
}
