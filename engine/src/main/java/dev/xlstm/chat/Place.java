package dev.xlstm.chat;

/**
 * A place in a conversation at which the model's memory can be kept: behind a turn, or behind the question of an exchange,
 * before its answer.
 */
record Place(Turn turn, boolean asked) {

    static Place after(Turn turn) {
        return new Place(turn, false);
    }

    /** @param turn an exchange, answered or not */
    static Place asked(Turn turn) {
        return new Place(turn, true);
    }

    /** Where the turn began; null for the first. */
    Place before() {
        if (!asked && turn.kind() == Turn.Kind.EXCHANGE) {
            return asked(turn);
        }
        return turn.parent() == null ? null : after(turn.parent());
    }

    /** Tokens in memory. */
    long position() {
        return asked ? turn.parent().position() + turn.promptIds().length : turn.position();
    }

    /** Whether the memory is that of a state file, which no ids could bring back. */
    boolean isState() {
        return turn.kind() == Turn.Kind.STATE;
    }

    /** A turn is the same before and after it is answered. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Place place && place.turn.id() == turn.id() && place.asked == asked;
    }

    @Override
    public int hashCode() {
        return 2 * turn.id() + (asked ? 1 : 0);
    }
}
