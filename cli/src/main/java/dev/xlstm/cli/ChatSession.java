package dev.xlstm.cli;

import dev.xlstm.chat.ChatTemplate;
import dev.xlstm.chat.Conversation;
import dev.xlstm.chat.ConversationFile;
import dev.xlstm.chat.Turn;
import dev.xlstm.generation.TextModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A conversation and the directory it is saved in after every turn. */
final class ChatSession implements AutoCloseable {

    private final Path directory;
    private final Conversation conversation;
    private final boolean kept; // beyond the process
    private boolean warned;

    private ChatSession(Path directory, Conversation conversation, boolean kept) {
        this.directory = directory;
        this.conversation = conversation;
        this.kept = kept;
    }

    /** A new one, saved among the user's sessions. */
    static ChatSession begin(TextModel model, String system, long snapshotBytes, SessionStore store)
            throws IOException {
        return begin(model, system, snapshotBytes, store.create(), true);
    }

    /** A new one that is gone with the process. */
    static ChatSession temporary(TextModel model, String system, long snapshotBytes) throws IOException {
        return begin(model, system, snapshotBytes, Files.createTempDirectory("xlstm-chat"), false);
    }

    private static ChatSession begin(TextModel model, String system, long snapshotBytes, Path directory, boolean kept)
            throws IOException {
        try {
            ChatTemplate template = ChatTemplate.of(model);
            return new ChatSession(
                    directory, new Conversation(model, template, system, snapshotBytes, directory), kept);
        } catch (IOException | RuntimeException e) {
            SessionStore.delete(directory);
            throw e;
        }
    }

    static ChatSession resume(TextModel model, long snapshotBytes, Path directory) throws IOException {
        ConversationFile saved = ConversationFile.open(directory);
        return new ChatSession(directory, saved.resume(model, ChatTemplate.of(model), snapshotBytes), true);
    }

    Conversation conversation() {
        return conversation;
    }

    String id() {
        return directory.getFileName().toString();
    }

    /** Puts the conversation on disk as it is. One that has not begun leaves nothing. */
    void save() throws IOException {
        boolean begun = conversation.turns().stream().anyMatch(turn -> !turn.isBeginning());
        if (kept && (begun || ConversationFile.isIn(directory))) {
            ConversationFile.save(conversation, directory);
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

    @Override
    public void close() throws IOException {
        conversation.close();
        if (!kept || !ConversationFile.isIn(directory)) {
            try (Stream<Path> files = Files.list(directory)) {
                if (kept && files.findAny().isPresent()) {
                    return; // not ours to judge
                }
            }
            SessionStore.delete(directory);
        }
    }
}
