package dev.xlstm.chat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A node of the tree: what one step fed to the model, in text and ids. Never changes.
 *
 * @param id unlike any other of the conversation
 * @param parent what was fed before; null for a beginning
 * @param text the system prompt of a beginning (may be null), a document's name, or what the user said
 * @param prompt what the template made of it, with the marks of {@link UntrustedText}; of a document, what comes before
 *     it and its placeholder
 * @param promptIds the ids fed for it, the document's own included
 * @param answer what the model said; null but for an exchange
 * @param answerIds the ids fed for it
 * @param decoded whether the answer's ids were fed one by one, with logits between, as they are when the model writes
 * @param ending why the answer ended: eos, stop, length, interrupted
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
        String ending) {

    public enum Kind {
        /** Nothing fed yet. */
        BEGINNING,
        /** A text to be talked about, the first part of what the user says next. */
        DOCUMENT,
        /** A user's words and the model's. */
        EXCHANGE
    }

    private static final int[] NONE = {};

    static Turn beginning(int id, String system) {
        return new Turn(id, null, Kind.BEGINNING, system, "", NONE, null, NONE, false, null);
    }

    /** The turns from the beginning to this one. */
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

    /** Tokens in memory after this turn. */
    public long position() {
        long position = 0;
        for (Turn turn = this; turn != null; turn = turn.parent) {
            position += turn.promptIds.length + turn.answerIds.length;
        }
        return position;
    }

    /** The system prompt of the conversation, null if there is none. */
    public String system() {
        Turn turn = this;
        while (turn.parent != null) {
            turn = turn.parent;
        }
        return turn.text;
    }

    /** The ids fed from the beginning to the end of this turn. */
    public int[] ids() {
        int[] ids = new int[Math.toIntExact(position())];
        int at = 0;
        for (Turn turn : path()) {
            System.arraycopy(turn.promptIds, 0, ids, at, turn.promptIds.length);
            at += turn.promptIds.length;
            System.arraycopy(turn.answerIds, 0, ids, at, turn.answerIds.length);
            at += turn.answerIds.length;
        }
        return ids;
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
        return kind != Kind.DOCUMENT ? "" : parent.openDocuments() + UntrustedText.placeholder(id) + "\n\n";
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
