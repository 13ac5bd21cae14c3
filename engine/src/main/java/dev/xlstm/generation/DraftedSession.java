package dev.xlstm.generation;

import dev.xlstm.backend.TopLogits;
import dev.xlstm.session.Session;

/**
 * A session that computes several ids per pass if it can guess them: the caller sees the logits after each id that it feeds,
 * as from {@link Session}, to the bit. The ids after a guess count only if the caller feeds the guess, so guesses never change
 * a text. Call {@link #finish} before the session is used directly again.
 */
final class DraftedSession {

    private final Session session;
    private final int mostGuesses; // 0: passes everything on to the session
    private final PromptLookup lookup;
    private final DraftLength length;

    private final int[] ids; // of the pass under way: a certain id, then guesses
    private int rows; // 0 if there is none
    private int row; // the logits in use are those after ids[row]
    private int guesses; // in the pass
    private long passNanos; // its time
    private boolean read; // whether they have been read
    private boolean pending; // whether an id is fed that the session does not have
    private int next; // that id
    private long drafted;
    private long accepted;

    /**
     * @param mostGuesses ids to guess per pass, as far as the session can verify them; 0 for none
     * @param recentIds the last ids of the text
     */
    DraftedSession(Session session, int mostGuesses, DraftLength length, int[] recentIds) {
        this.session = session;
        this.length = length;
        this.mostGuesses = Math.max(0, Math.min(mostGuesses, session.maxVerifiedIds() - 1));
        ids = new int[1 + this.mostGuesses];
        lookup = this.mostGuesses == 0 ? null : new PromptLookup();
        for (int id : recentIds) {
            if (lookup != null) {
                lookup.add(id);
            }
        }
    }

    /** As {@link Session#logits()}. */
    float[] logits() {
        if (pending) {
            compute();
        }
        read = true;
        return rows > 0 ? session.verifiedLogits(row) : session.logits();
    }

    /** As {@link Session#topLogits(int)}. */
    TopLogits topLogits(int n) {
        return mostGuesses == 0 ? session.topLogits(n) : null;
    }

    /** As {@link Session#feed(int...)} of one id. */
    void feed(int id) {
        if (mostGuesses == 0) {
            session.feed(id);
            return;
        }
        lookup.add(id);
        if (rows > 0 && row + 1 < rows) {
            boolean right = ids[row + 1] == id;
            length.guessed(right);
            if (right) {
                row++;
                accepted++;
                read = false;
                return;
            }
        }
        settle();
        next = id;
        pending = true;
    }

    /** Computes the pending id, with guesses if they pay. */
    private void compute() {
        guesses = length.choose(lookup.guess(ids, 1, mostGuesses));
        long start = System.nanoTime();
        pending = false;
        if (guesses > 0) {
            ids[0] = next;
            rows = session.verify(ids, 0, 1 + guesses);
            row = 0;
            drafted += guesses;
        }
        if (rows == 0) { // no guesses, or logits that are not finite, which the session reports here
            session.feed(next);
            session.logits();
            length.passed(guesses, System.nanoTime() - start);
        }
        passNanos = System.nanoTime() - start;
    }

    /** Makes the session what it is after feeding, one by one, all ids that were fed. */
    void finish() {
        settle();
        if (pending) {
            session.feed(next);
            pending = false;
        }
    }

    private void settle() {
        if (rows == 0) {
            return;
        }
        rows = 0;
        long start = System.nanoTime();
        if (read) {
            session.keep(row + 1);
        } else { // the session computes an id only when its logits are read
            session.keep(row);
            session.feed(ids[row]);
        }
        length.passed(guesses, passNanos + System.nanoTime() - start);
    }

    /** Guesses verified so far. */
    long drafted() {
        return drafted;
    }

    /** Guesses that turned out right. */
    long accepted() {
        return accepted;
    }
}
