package dev.xlstm.session;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;
import dev.xlstm.backend.TopLogits;
import dev.xlstm.error.BadRequestException;
import java.io.IOException;
import java.io.UncheckedIOException;

/**
 * One sequence fed to a model. Its memory is a state of constant size, so a session can be forked at any token for the
 * cost of one copy, and can read without end.
 *
 * <p>Ids are computed in chunks of the model's largest batch, counted from the first id; what does not fill a chunk
 * waits until logits are asked for. How the ids arrive, one by one or all at once, therefore changes no bit of the
 * result.
 */
public final class Session implements AutoCloseable {

    final LoadedModel model;
    final State state;
    private final Batch batch = new Batch();
    final int[] waiting; // ids not yet computed
    int waitingCount;
    final float[] logits; // after the last id
    boolean logitsValid;
    private boolean late; // the model still has to write them
    private TopLogits top = new TopLogits(0);
    long position;
    private RuntimeException damage; // null while all is well

    /** A session that has read nothing. */
    public Session(LoadedModel model) {
        this.model = model;
        state = model.newState();
        waiting = new int[model.maxRows()];
        logits = new float[model.config().vocabSize()];
    }

    /** Appends ids. */
    public void feed(int... ids) {
        feed(ids, 0, ids.length);
    }

    /**
     * Appends {@code ids[from, to)}.
     *
     * @throws BadRequestException if an id is outside the vocabulary; then none has been appended
     * @throws NonFiniteException if the model has computed something else than numbers; the session is then lost, though
     *     not those it was forked from
     */
    public void feed(int[] ids, int from, int to) {
        checkSound();
        for (int i = from; i < to; i++) {
            if (ids[i] < 0 || ids[i] >= model.config().vocabSize()) {
                throw new BadRequestException("id " + ids[i] + " is outside the model's vocabulary of "
                        + model.config().vocabSize());
            }
        }
        int at = from;
        while (at < to) {
            int count = Math.min(to - at, waiting.length - waitingCount);
            System.arraycopy(ids, at, waiting, waitingCount, count);
            waitingCount += count;
            at += count;
            position += count;
            logitsValid = false;
            // the last chunk waits even when full: its logits may be asked for
            if (waitingCount == waiting.length && at < to) {
                compute();
            }
        }
    }

    /**
     * The logits after the last id.
     *
     * @return {@code [vocab]}, the session's own array: valid until the next call, not to be changed
     * @throws IllegalStateException if nothing has been fed
     * @throws NonFiniteException as {@link #feed(int[], int, int)}
     */
    public float[] logits() {
        checkSound();
        if (!logitsValid) {
            if (position == 0) {
                throw new IllegalStateException("logits of an empty sequence: feed an id first");
            }
            if (late && waitingCount == 0) {
                finishLogits();
            } else {
                compute();
            }
            logitsValid = true;
        }
        return logits;
    }

    /** Has the model write what it still has to; from then on only the session writes to its array. */
    void finishLogits() {
        if (late) {
            late = false;
            model.finishLogits();
            logitsValid = waitingCount == 0;
        }
    }

    /**
     * The largest logits after the last id, where the model can pick them out at less cost than it can hand over all.
     *
     * @return n of them, valid until the next call; null if {@link #logits()} is as good
     * @throws NonFiniteException as {@link #feed(int[], int, int)}
     */
    public TopLogits topLogits(int n) {
        checkSound();
        if (n > model.maxTopLogits() || waitingCount != 1) {
            return null;
        }
        if (top.size() != n) {
            top = new TopLogits(n);
        }
        forward(waiting, 0, 1, Logits.LAST, logits, top);
        late = true;
        waitingCount = 0;
        if (!Float.isFinite(top.logits()[0])) {
            damage = new NonFiniteException(position - 1, position);
            throw damage;
        }
        return top;
    }

    /** Bytes of memory that a fork takes, about. */
    public long byteSize() {
        return state.byteSize() + 4L * logits.length;
    }

    /** The number of ids fed so far. */
    public long position() {
        return position;
    }

    /**
     * Computes what waits. The logits of its last row are wanted even if nobody asks for them: what is not finite in a
     * state, or in any row that went into it, is not finite in them.
     */
    private void compute() {
        forward(waiting, 0, waitingCount, Logits.LAST, logits, null);
        late = false;
        long from = position - waitingCount;
        waitingCount = 0;
        checkFinite(logits, 0, from, position);
    }

    /** @param picked null if all logits are to go to {@code rows} at once */
    private void forward(int[] ids, int from, int to, Logits wanted, float[] rows, TopLogits picked) {
        try {
            batch.clear().add(state, ids, from, to, wanted);
            if (picked == null) {
                model.forward(batch, rows);
            } else {
                model.forward(batch, picked, rows);
            }
        } catch (Throwable e) { // the state may have read a part of the ids
            damage = new IllegalStateException("the session was lost when the model failed: " + e.getMessage(), e);
            if (e instanceof InternalError) { // the JVM's name for it
                damage = new UncheckedIOException(
                        new IOException("a file of the model was cut short while in use; fetch it again", e));
                throw damage;
            }
            throw e;
        } finally {
            batch.clear();
        }
    }

    private void checkFinite(float[] rows, int offset, long from, long to) {
        int worst = 0;
        for (int i = offset; i < offset + logits.length; i++) {
            // negative if all bits of the exponent are set: infinities and NaN
            worst |= (Float.floatToRawIntBits(rows[i]) & 0x7F800000) + 0x00800000;
        }
        if (worst < 0) {
            damage = new NonFiniteException(from, to);
            throw damage;
        }
    }

    /** @throws IllegalStateException if there is nothing to go on from */
    void checkSound() {
        if (damage != null) {
            throw damage;
        }
    }

    /** A second session that has read the same and goes its own way from here. */
    public Session fork() {
        checkSound();
        Session copy = new Session(model);
        copy.copyFrom(this);
        return copy;
    }

    /** Becomes what a fork of another session of the same model would be, in the memory it has. */
    public void copyFrom(Session other) {
        other.checkSound();
        damage = null;
        finishLogits();
        other.finishLogits();
        state.copyFrom(other.state);
        System.arraycopy(other.waiting, 0, waiting, 0, other.waitingCount);
        waitingCount = other.waitingCount;
        System.arraycopy(other.logits, 0, logits, 0, logits.length);
        logitsValid = other.logitsValid;
        position = other.position;
    }

    /** Receives the log-probabilities of a scored sequence, in order. */
    public interface ScoreListener {

        /**
         * @param index of the id among those scored
         * @param logProbability natural logarithm of the probability the model gave the id, NaN if nothing came before it
         */
        void scored(int index, double logProbability);
    }

    /**
     * Feeds ids and reports how probable each was.
     *
     * @throws BadRequestException if an id is outside the vocabulary
     */
    public void score(int[] ids, ScoreListener listener) {
        if (ids.length == 0) {
            return;
        }
        listener.scored(0, position == 0 ? Double.NaN : new LogProbabilities(logits()).of(ids[0]));
        int vocab = logits.length;
        int step = Math.min(model.maxRows(), 32); // rows of logits held at once
        float[] rows = new float[Math.min(step, ids.length) * vocab];
        for (int from = 0; from < ids.length; from += step) {
            int to = Math.min(from + step, ids.length);
            forward(ids, from, to, Logits.ALL, rows, null);
            position += to - from;
            checkFinite(rows, (to - from - 1) * vocab, position - (to - from), position);
            for (int i = from; i < to && i + 1 < ids.length; i++) {
                listener.scored(i + 1, new LogProbabilities(rows, (i - from) * vocab, vocab).of(ids[i + 1]));
            }
            System.arraycopy(rows, (to - from - 1) * vocab, logits, 0, vocab);
            logitsValid = true;
        }
    }

    @Override
    public void close() {
        state.close();
    }
}
