package dev.xlstm.cli.chat;

import dev.xlstm.chat.ChatTemplate;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.Turn;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A conversation and the directory it is saved in after every turn, which nobody else uses meanwhile. */
final class ChatSession implements AutoCloseable {

    private final Path directory; // null: gone with the process
    private final FileChannel lock;
    private final Conversation conversation;
    private boolean warned;
    private boolean unsaved; // as the disk was full, say

    private ChatSession(Path directory, FileChannel lock, Conversation conversation) {
        this.directory = directory;
        this.lock = lock;
        this.conversation = conversation;
    }

    /** Bytes of the model's memories after turns that are kept to go back to. */
    record Limits(long memory, long disk) {}

    /**
     * What a conversation begins with.
     *
     * @param state a state file, null for none
     * @param system prompt, null for none
     */
    record Beginning(Path state, String system) {

        private Conversation conversation(TextModel model, Limits limits, Path directory) throws IOException {
            Conversation.Storage storage = new Conversation.Storage(limits.memory, directory, limits.disk);
            try (TextSession read = state == null ? null : model.resume(state)) {
                String name = state == null ? null : state.getFileName().toString();
                return new Conversation(model, ChatTemplate.of(model), read, name, system, storage);
            }
        }
    }

    /** A new one, saved among the user's sessions. */
    static ChatSession begin(TextModel model, Beginning beginning, Limits limits, SessionStore store)
            throws IOException {
        Path directory = store.create();
        FileChannel lock = SessionStore.lock(directory);
        try {
            return new ChatSession(directory, lock, beginning.conversation(model, limits, directory));
        } catch (IOException | RuntimeException e) {
            SessionStore.delete(directory);
            lock.close();
            throw e;
        }
    }

    /** A new one that is gone with the process. */
    static ChatSession temporary(TextModel model, Beginning beginning, Limits limits) throws IOException {
        return new ChatSession(null, null, beginning.conversation(model, limits, null));
    }

    /**
     * Goes on with a saved one.
     *
     * @throws IOException if another process does so already, or it does not fit the model
     */
    static ChatSession resume(TextModel model, Limits limits, Path directory) throws IOException {
        FileChannel lock = SessionStore.lock(directory);
        try {
            Conversation conversation =
                    ConversationFile.open(directory).resume(model, ChatTemplate.of(model), limits.memory, limits.disk);
            return new ChatSession(directory, lock, conversation);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    Conversation conversation() {
        return conversation;
    }

    String id() {
        return directory.getFileName().toString();
    }

    /** Puts the conversation on disk as it is. One that has not begun leaves nothing. */
    void save() throws IOException {
        boolean begun = conversation.turns().stream()
                .anyMatch(turn -> turn.kind() == Turn.Kind.EXCHANGE || turn.kind() == Turn.Kind.DOCUMENT);
        if (directory != null && (begun || ConversationFile.isIn(directory))) {
            unsaved = true;
            ConversationFile.save(conversation, directory);
            unsaved = false;
            SessionStore.markUsedLast(directory);
        }
    }

    /** Once, that the conversation is longer than texts the model was trained on; null before and after. */
    String lengthWarning(Turn turn) throws IOException {
        int trained = conversation.model().directory().trainingContext();
        if (warned || turn.position() <= trained) {
            return null;
        }
        warned = true;
        return "note: the conversation is longer than the " + trained + " tokens the model was trained with; its memory"
                + " does not grow, so it may recall the beginning badly";
    }

    /** Saves what could not be saved before. */
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
