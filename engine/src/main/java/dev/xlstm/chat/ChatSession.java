package dev.xlstm.chat;

import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A conversation and the directory it is saved in, which is locked against other processes. */
public final class ChatSession implements AutoCloseable {

    private final Path directory; // null for one that is not saved
    private final FileChannel lock;
    private final Conversation conversation;
    private boolean warned;
    private boolean unsaved; // after a failure, such as a full disk

    private ChatSession(Path directory, FileChannel lock, Conversation conversation) {
        this.directory = directory;
        this.lock = lock;
        this.conversation = conversation;
    }

    /** Bytes of snapshots to keep for undo, switching and retries. */
    public record SnapshotBudget(long memoryBytes, long diskBytes) {}

    /**
     * How a conversation begins.
     *
     * @param state a state file, null for none
     * @param system prompt, null for none
     */
    public record Beginning(Path state, String system) {

        private Conversation conversation(TextModel model, SnapshotBudget budget, Path directory) throws IOException {
            Conversation.Storage storage = new Conversation.Storage(budget.memoryBytes, directory, budget.diskBytes);
            try (TextSession read = state == null ? null : model.resume(state)) {
                String name = state == null ? null : state.getFileName().toString();
                return new Conversation(model, ChatTemplate.of(model), read, name, system, storage);
            }
        }
    }

    /** Begins a session that is saved in a store. */
    public static ChatSession begin(TextModel model, Beginning beginning, SnapshotBudget budget, SessionStore store)
            throws IOException {
        Path directory = store.create();
        FileChannel lock = SessionStore.lock(directory);
        try {
            return new ChatSession(directory, lock, beginning.conversation(model, budget, directory));
        } catch (IOException | RuntimeException e) {
            SessionStore.delete(directory);
            lock.close();
            throw e;
        }
    }

    /** Begins a session that is not saved. */
    public static ChatSession temporary(TextModel model, Beginning beginning, SnapshotBudget budget)
            throws IOException {
        return new ChatSession(null, null, beginning.conversation(model, budget, null));
    }

    /**
     * Resumes a saved session.
     *
     * @throws IOException if another process has it open, or it does not fit the model
     */
    public static ChatSession resume(TextModel model, SnapshotBudget budget, Path directory) throws IOException {
        FileChannel lock = SessionStore.lock(directory);
        try {
            Conversation conversation = ConversationFile.open(directory)
                    .resume(model, ChatTemplate.of(model), budget.memoryBytes, budget.diskBytes);
            return new ChatSession(directory, lock, conversation);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    public Conversation conversation() {
        return conversation;
    }

    public String id() {
        return directory.getFileName().toString();
    }

    /** Saves the conversation as it is. One in which nothing has been said or read leaves nothing. */
    public void save() throws IOException {
        boolean begun =
                conversation.turns().stream().anyMatch(turn -> turn.isExchange() || turn.kind() == Turn.Kind.DOCUMENT);
        if (directory != null && (begun || ConversationFile.isIn(directory))) {
            unsaved = true;
            ConversationFile.save(conversation, directory);
            unsaved = false;
            SessionStore.markUsedLast(directory);
        }
    }

    /** A warning, once, when the conversation grows longer than the texts the model was trained on; else null. */
    public String lengthWarning(Turn turn) throws IOException {
        int trained = conversation.model().directory().trainingContext();
        if (warned || turn.position() <= trained) {
            return null;
        }
        warned = true;
        return "note: the conversation is longer than the " + trained + " tokens the model was trained with; its state"
                + " does not grow, so it may recall the beginning badly";
    }

    /** Tries once more to save what could not be saved, and deletes the directory of a session that holds nothing. */
    @Override
    public void close() throws IOException {
        try {
            if (unsaved) {
                save();
            }
        } finally {
            conversation.close();
            if (directory != null) {
                if (!ConversationFile.isIn(directory)) {
                    SessionStore.delete(directory);
                }
                lock.close();
            }
        }
    }
}
