package dev.xlstm.chat;

import dev.xlstm.generation.FinishReason;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A node of the tree: what one step fed to the model, in text and ids. Never changes.
 *
 * @param id unlike any other of the conversation
 * @param parent what was fed before; null for the first
 * @param text the system prompt of a beginning (may be null), the name of a state or document, or what the user said
 * @param prompt what the template made of it, with the marks of {@link UntrustedText}; of a document, what comes before
 *     it and its placeholder
 * @param promptIds the ids fed for it, the document's own included; of a state they are not known
 * @param answer what the model said; null but for an exchange
 * @param answerIds the ids fed for it
 * @param decoded whether the answer's ids were fed one by one, with logits between, as they are when the model writes
 * @param ending why the answer ended: eos, stop, length, interrupted
 * @param position tokens in memory after this turn
 */
public record Turn(
        int id,
        Turn parent,
        Kind kind,
        String text,
        String prompt,
        int[] promptIds,
        String answer,
        int[] answerIds,
        boolean decoded,
        String ending,
        long position) {

    public enum Kind {
        /** A text that was read before the conversation, and of which only the model's memory is known. */
        STATE,
        /** Nothing fed yet. */
        BEGINNING,
        /** A text to be talked about, the first part of what the user says next. */
        DOCUMENT,
        /** A user's words and the model's. */
        EXCHANGE
    }

    private static final int[] NONE = {};

    static Turn state(int id, String name, long position) {
        return new Turn(id, null, Kind.STATE, name, "", NONE, null, NONE, false, null, position);
    }

    /**
     * @param state what it begins after, null for nothing
     * @param system may be null
     */
    static Turn beginning(int id, Turn state, String system) {
        long position = state == null ? 0 : state.position;
        return new Turn(id, state, Kind.BEGINNING, system, "", NONE, null, NONE, false, null, position);
    }

    static Turn document(int id, Turn parent, String name, String prompt, int[] ids) {
        long position = parent.position + ids.length;
        return new Turn(id, parent, Kind.DOCUMENT, name, prompt, ids, null, NONE, false, null, position);
    }

    /** What the user said; {@link #answered} adds the rest. */
    static Turn question(int id, Turn parent, String text, String prompt, int[] ids) {
        String end = FinishReason.INTERRUPTED.toString();
        long position = parent.position + ids.length;
        return new Turn(id, parent, Kind.EXCHANGE, text, prompt, ids, "", NONE, true, end, position);
    }

    /** The same question with this answer. */
    Turn answered(String words, int[] ids, boolean oneByOne, String end) {
        long after = parent.position + promptIds.length + ids.length;
        return new Turn(id, parent, kind, text, prompt, promptIds, words, ids, oneByOne, end, after);
    }

    /** The same question, to be answered anew. */
    Turn askedAgain(int newId) {
        return question(newId, parent, text, prompt, promptIds);
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

    /** The system prompt of the conversation, null if there is none. */
    public String system() {
        return beginning().text;
    }

    /** Where the conversation of this turn begins. */
    Turn beginning() {
        Turn turn = this;
        while (turn.kind != Kind.BEGINNING) {
            turn = turn.parent;
        }
        return turn;
    }

    /** The ids fed from the beginning to the end of this turn; those of a state before it are not known. */
    public int[] ids() {
        return path().stream()
                .flatMapToInt(turn -> IntStream.concat(IntStream.of(turn.promptIds), IntStream.of(turn.answerIds)))
                .toArray();
    }

    /** What was said or read, in one line of at most so many characters. */
    public String label(int most) {
        String label = switch (kind) {
            case STATE -> "[state " + text + "]";
            case BEGINNING -> text == null ? "(start)" : "(start) system: " + text;
            case DOCUMENT -> "[read " + text + "]";
            case EXCHANGE -> text;
        };
        String line = label.strip().replaceAll("\\s+", " ");
        return line.codePointCount(0, line.length()) <= most
                ? line
                : line.substring(0, line.offsetByCodePoints(0, most - 1)) + "…";
    }

    /** The turns as a template wants them, without one that waits for the user's words after a document. */
    List<Message> messages(UntrustedText untrusted) {
        List<Message> messages = new ArrayList<>();
        String documents = "";
        for (Turn turn : path()) {
            if (turn.kind == Kind.BEGINNING && turn.text != null) {
                messages.add(new Message("system", untrusted.marked(turn.text)));
            } else if (turn.kind == Kind.DOCUMENT) {
                documents += UntrustedText.placeholder(turn.id) + "\n\n";
            } else if (turn.kind == Kind.EXCHANGE) {
                messages.add(new Message("user", documents + untrusted.marked(turn.text)));
                messages.add(new Message("assistant", turn.answer));
                documents = "";
            }
        }
        return messages;
    }

    /** The placeholders of documents read since the last exchange, with a blank line after each. */
    String openDocuments() {
        Deque<String> documents = new ArrayDeque<>();
        for (Turn turn = this; turn.kind == Kind.DOCUMENT; turn = turn.parent) {
            documents.addFirst(UntrustedText.placeholder(turn.id) + "\n\n");
        }
        return String.join("", documents);
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
