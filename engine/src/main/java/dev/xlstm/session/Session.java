package dev.xlstm.session;

import dev.xlstm.backend.Batch;
import dev.xlstm.backend.Batch.Logits;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.State;

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
    long position;

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
     * @throws IllegalArgumentException if an id is outside the vocabulary; then none has been appended
     */
    public void feed(int[] ids, int from, int to) {
        for (int i = from; i < to; i++) {
            if (ids[i] < 0 || ids[i] >= model.config().vocabSize()) {
                throw new IllegalArgumentException("id " + ids[i] + " is outside the model's vocabulary of "
                        + model.config().vocabSize());
            }
        }
        int at = from;
        while (at < to) {
            int count = Math.min(to - at, waiting.length - waitingCount);
            System.arraycopy(ids, at, waiting, waitingCount, count);
            waitingCount += count;
            at += count;
            // the last chunk waits even when full: its last row may be asked for
            if (waitingCount == waiting.length && at < to) {
                compute(Logits.NONE);
            }
        }
        position += to - from;
        logitsValid = false;
    }

    /**
     * The logits after the last id.
     *
     * @return {@code [vocab]}, the session's own array: valid until the next call, not to be changed
     * @throws IllegalStateException if nothing has been fed
     */
    public float[] logits() {
        if (!logitsValid) {
            if (position == 0) {
                throw new IllegalStateException("logits of an empty sequence: feed an id first");
            }
            compute(Logits.LAST);
            logitsValid = true;
        }
        return logits;
    }

    /** Bytes of memory that a fork takes, about. */
    public long byteSize() {
        return state.byteSize() + 4L * logits.length;
    }

    /** The number of ids fed so far. */
    public long position() {
        return position;
    }

    private void compute(Logits wanted) {
        model.forward(batch.clear().add(state, waiting, 0, waitingCount, wanted), logits);
        batch.clear();
        waitingCount = 0;
    }

    /** A second session that has read the same and goes its own way from here. */
    public Session fork() {
        Session copy = new Session(model);
        copy.copyFrom(this);
        return copy;
    }

    /** Becomes what a fork of another session of the same model would be, in the memory it has. */
    public void copyFrom(Session other) {
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
     * @throws IllegalArgumentException if an id is outside the vocabulary
     */
    public void score(int[] ids, ScoreListener listener) {
        if (ids.length == 0) {
            return;
        }
        listener.scored(0, position == 0 ? Double.NaN : logProbability(logits(), 0, ids[0]));
        int vocab = logits.length;
        int step = Math.min(model.maxRows(), 32); // rows of logits held at once
        float[] rows = new float[Math.min(step, ids.length) * vocab];
        for (int from = 0; from < ids.length; from += step) {
            int to = Math.min(from + step, ids.length);
            model.forward(batch.clear().add(state, ids, from, to, Logits.ALL), rows);
            batch.clear();
            position += to - from;
            for (int i = from; i < to && i + 1 < ids.length; i++) {
                listener.scored(i + 1, logProbability(rows, (i - from) * vocab, ids[i + 1]));
            }
            System.arraycopy(rows, (to - from - 1) * vocab, logits, 0, vocab);
            logitsValid = true;
        }
    }

    /** {@code logits[offset + id]} less the logarithm of the sum of exponentials of the row. */
    private double logProbability(float[] logits, int offset, int id) {
        int vocab = this.logits.length;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < vocab; i++) {
            max = Math.max(max, logits[offset + i]);
        }
        double sum = 0;
        for (int i = 0; i < vocab; i++) {
            sum += Math.exp(logits[offset + i] - max);
        }
        return logits[offset + id] - max - Math.log(sum);
    }

    @Override
    public void close() {
        state.close();
    }
}
