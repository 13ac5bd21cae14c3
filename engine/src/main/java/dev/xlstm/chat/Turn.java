package dev.xlstm.chat;

import dev.xlstm.jinja.TrackedString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A node of a conversation's tree: one step, in text and ids. Immutable.
 *
 * @param id unique in the conversation
 * @param parent the step before; null for the first
 * @param text the system prompt of a beginning (may be null), the name of a state file or document, or the user's question
 * @param prompt what the template made of the step; null for a beginning and a state
 * @param answer the model's; null for all kinds but an exchange
 * @param position tokens the model has read after this turn
 */
public record Turn(int id, Turn parent, Kind kind, String text, Prompt prompt, Answer answer, long position) {

    public enum Kind {
        /** A text read before the conversation, of which only the model's state is known. */
        STATE,
        /** Nothing is read yet. */
        BEGINNING,
        /** A document to talk about. It opens the user's next message. */
        DOCUMENT,
        /** A question and its answer. */
        EXCHANGE
    }

    static Turn state(int id, String name, long position) {
        return new Turn(id, null, Kind.STATE, name, null, null, position);
    }

    /**
     * @param state what the conversation begins after; null for nothing
     * @param system may be null
     */
    static Turn beginning(int id, Turn state, String system) {
        return new Turn(id, state, Kind.BEGINNING, system, null, null, state == null ? 0 : state.position);
    }

    static Turn document(int id, Turn parent, String name, Prompt prompt) {
        return new Turn(id, parent, Kind.DOCUMENT, name, prompt, null, prompt.position());
    }

    /** An exchange without its answer; {@link #answered} adds it. */
    static Turn question(int id, Turn parent, String text, Prompt prompt) {
        return new Turn(id, parent, Kind.EXCHANGE, text, prompt, Answer.NONE, prompt.position());
    }

    /** The same question with this answer. */
    Turn answered(Answer given) {
        return new Turn(id, parent, kind, text, prompt, given, prompt.position() + given.ids().length);
    }

    /** The same question, to be answered anew. */
    Turn askedAgain(int newId) {
        return question(newId, parent, text, prompt);
    }

    /** The turns from the first to this one. */
    public List<Turn> path() {
        Deque<Turn> path = new ArrayDeque<>();
        for (Turn turn = this; turn != null; turn = turn.parent) {
            path.addFirst(turn);
        }
        return List.copyOf(path);
    }

    public boolean isBeginning() {
        return kind == Kind.BEGINNING;
    }

    public boolean isExchange() {
        return kind == Kind.EXCHANGE;
    }

    /** The system prompt of the conversation, null if there is none. */
    public String system() {
        return beginning().text;
    }

    /** The first question of the path, null if there is none. */
    String firstQuestion() {
        return path().stream()
                .filter(Turn::isExchange)
                .map(Turn::text)
                .findFirst()
                .orElse(null);
    }

    /** Where the conversation of this turn begins. */
    Turn beginning() {
        Turn turn = this;
        while (turn.kind != Kind.BEGINNING) {
            turn = turn.parent;
        }
        return turn;
    }

    /** The ids fed to reach the end of this turn from the beginning; those of a state file before it are unknown. */
    public int[] ids() {
        Deque<int[]> parts = new ArrayDeque<>();
        for (SnapshotKey key = SnapshotKey.after(this); key != null; key = key.before()) {
            parts.addFirst(key.ownIds());
        }
        return parts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** The ids that this step fed: those of its prompt and of its answer. */
    int[] ownIds() {
        int[] asked = prompt == null ? new int[0] : prompt.ids();
        int[] answered = answer == null ? new int[0] : answer.ids();
        return IntStream.concat(IntStream.of(asked), IntStream.of(answered)).toArray();
    }

    /** How many tokens the prompt has: the question with what the template puts around it, or the document. */
    public int promptTokens() {
        return prompt == null ? 0 : prompt.ids().length;
    }

    /** The ids of a document alone. */
    int[] documentIds() {
        int[] ids = prompt.ids();
        return Arrays.copyOfRange(ids, ids.length - prompt.documentLength(), ids.length);
    }

    /** The turn in one line of at most so many characters. */
    public String label(int maxChars) {
        return Excerpt.of(
                switch (kind) {
                    case STATE -> "[state " + text + "]";
                    case BEGINNING -> text == null ? "(start)" : "(start) system: " + text;
                    case DOCUMENT -> "[read " + text + "]";
                    case EXCHANGE -> text;
                },
                maxChars);
    }

    /**
     * The messages up to this turn, without documents that no question has followed yet ({@link #openDocuments}).
     *
     * @param answers the text of an answer, with its control tokens trusted
     */
    List<Message> messages(Function<Answer, TrackedString> answers) {
        List<Message> messages = new ArrayList<>();
        for (Turn turn : path()) {
            if (turn.isBeginning() && turn.text != null) {
                messages.add(Message.of("system", turn.text));
            } else if (turn.isExchange()) {
                messages.add(turn.userMessage());
                messages.add(Message.of("assistant", answers.apply(turn.answer)));
            }
        }
        return messages;
    }

    /** The question of an exchange, with the documents before it. */
    Message userMessage() {
        return Message.of("user", parent.openDocuments().concat(TrackedString.untrusted(text)));
    }

    /** The placeholders of the documents read since the last exchange, each followed by a blank line. */
    TrackedString openDocuments() {
        Deque<String> documents = new ArrayDeque<>();
        for (Turn turn = this; turn.kind == Kind.DOCUMENT; turn = turn.parent) {
            documents.addFirst(Placeholder.of(turn.id) + "\n\n");
        }
        return TrackedString.trusted(String.join("", documents));
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return id;
    }

    @Override
    public String toString() {
        return kind + " " + id;
    }
}
