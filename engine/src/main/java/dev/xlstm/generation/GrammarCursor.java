package dev.xlstm.generation;

import dev.xlstm.grammar.GrammarMask;

/** A position in a grammar. To look ahead, {@link #copy} it, and roll back by going on with the copy. */
final class GrammarCursor {

    private final GrammarMask mask;
    private final GrammarProgress progress; // null unless the text may be continued in the middle of the grammar

    GrammarCursor(GrammarMask mask, GrammarProgress progress) {
        this.mask = mask;
        this.progress = progress;
    }

    GrammarMask mask() {
        return mask;
    }

    /** Null unless the text may be continued in the middle of the grammar. */
    GrammarProgress progress() {
        return progress;
    }

    /** Goes on with an id that the grammar allows. */
    void accept(int id, boolean endsText) {
        mask.accept(id);
        if (progress != null && !endsText) {
            progress.add(id);
        }
    }

    GrammarCursor copy() {
        return new GrammarCursor(mask.copy(), progress == null ? null : progress.copy());
    }
}
