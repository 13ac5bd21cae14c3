package dev.xlstm.chat;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Names a snapshot of a conversation: the state after a turn, or after the question of an exchange, before its answer.
 */
record SnapshotKey(Turn turn, boolean asked) {

    static SnapshotKey after(Turn turn) {
        return new SnapshotKey(turn, false);
    }

    /** @param turn an exchange, answered or not */
    static SnapshotKey asked(Turn turn) {
        return new SnapshotKey(turn, true);
    }

    /** The snapshot that reading continued from to reach this one; null for the first. */
    SnapshotKey before() {
        if (!asked && turn.kind() == Turn.Kind.EXCHANGE) {
            return asked(turn);
        } else if (turn.prompt() != null) {
            return turn.prompt().base();
        }
        return turn.parent() == null ? null : after(turn.parent());
    }

    /** Tokens the model has read. */
    long position() {
        return asked ? turn.prompt().position() : turn.position();
    }

    /** The text the model has read since the conversation began, with a {@link Placeholder} for each document. */
    String text() {
        Deque<String> pieces = new ArrayDeque<>();
        for (SnapshotKey key = this; key != null; key = key.before()) {
            pieces.addFirst(key.ownText());
        }
        return String.join("", pieces);
    }

    private String ownText() {
        if (!asked && turn.kind() == Turn.Kind.EXCHANGE) {
            return turn.answer().text();
        }
        return turn.prompt() == null ? "" : turn.prompt().text();
    }

    /** The ids fed to reach this snapshot from the one {@link #before} it; of a state file they are unknown. */
    int[] ownIds() {
        if (!asked && turn.kind() == Turn.Kind.EXCHANGE) {
            return turn.answer().ids();
        }
        return turn.prompt() == null ? new int[0] : turn.prompt().ids();
    }

    /** Whether this is the state of a state file, which no ids can bring back. */
    boolean isStateFile() {
        return turn.kind() == Turn.Kind.STATE;
    }

    /** Unique in the conversation: {@code turn-3}, {@code asked-3}. */
    String name() {
        return (asked ? "asked-" : "turn-") + turn.id();
    }

    /** A turn keeps its id when it is answered, and with it its key. */
    @Override
    public boolean equals(Object other) {
        return other instanceof SnapshotKey key && key.turn.id() == turn.id() && key.asked == asked;
    }

    @Override
    public int hashCode() {
        return 2 * turn.id() + (asked ? 1 : 0);
    }
}
