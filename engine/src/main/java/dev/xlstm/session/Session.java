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
 * One sequence fed to a model. Its state has constant size, so a session can be forked at any token for the cost of one copy
 * and can read input of any length.
 *
 * <p>The session computes ids in chunks of the model's largest batch; ids that do not fill a chunk wait until a caller needs
 * logits. The result therefore depends only on where logits were read, not on how ids were grouped into calls.
 */
public final class Session implements AutoCloseable {

    final LoadedModel model;
    final State state;
    private final Batch batch = new Batch();
    final int[] waiting; // ids not yet computed
    int waitingCount;
    final float[] logits; // after the last id
    boolean logitsValid;
    private boolean late; // the model still has to write the logits
    private TopLogits top = new TopLogits(0);
    private float[] verified = {}; // logits of the rows verified last [rows, vocab]
    private float[] verifiedRow; // a copy of one of them
    private int verifiedRows; // 0 if there is nothing to keep
    private int finiteRows; // leading rows of verified that are finite
    long position;
    private RuntimeException damage; // why the session cannot go on; null if it can

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
     * @throws BadRequestException if an id is outside the vocabulary; then no id is appended
     * @throws NonFiniteException if the model computed a value that is not finite; the session is then unusable, the sessions
     *     that it was forked from are not
     */
    public void feed(int[] ids, int from, int to) {
        checkSound();
        checkIds(ids, from, to);
        verifiedRows = 0;
        int at = from;
        while (at < to) {
            int count = Math.min(to - at, waiting.length - waitingCount);
            System.arraycopy(ids, at, waiting, waitingCount, count);
            waitingCount += count;
            at += count;
            position += count;
            logitsValid = false;
            // the last chunk waits even if it is full: the caller may read its logits
            if (waitingCount == waiting.length && at < to) {
                compute();
            }
        }
    }

    private void checkIds(int[] ids, int from, int to) {
        for (int i = from; i < to; i++) {
            if (ids[i] < 0 || ids[i] >= model.config().vocabSize()) {
                throw new BadRequestException("id " + ids[i] + " is outside the model's vocabulary of "
                        + model.config().vocabSize());
            }
        }
    }

    /**
     * The logits after the last id.
     *
     * @return {@code [vocab]}, the session's own array, read-only, valid until the next call
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

    /** Makes the model write outstanding logits; until the next pass it then leaves the array alone. */
    void finishLogits() {
        if (late) {
            late = false;
            model.finishLogits();
            logitsValid = waitingCount == 0;
        }
    }

    /**
     * The largest logits after the last id, if the model can select them faster than it can return all.
     *
     * @return n logits, valid until the next call; null if {@link #logits()} is as fast
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
        forward(waiting, 0, 1, Logits.LAST, logits, top, false);
        late = true;
        waitingCount = 0;
        if (!Float.isFinite(top.logits()[0])) {
            damage = new NonFiniteException(position - 1, position);
            throw damage;
        }
        return top;
    }

    /** Approximate bytes of memory of a fork. */
    public long byteSize() {
        return state.byteSize() + 4L * logits.length;
    }

    /** The number of ids fed so far. */
    public long position() {
        return position;
    }

    /**
     * Computes the waiting ids. Always computes the logits of the last row: a value that is not finite, in the state or in
     * any row, makes them not finite too.
     */
    private void compute() {
        forward(waiting, 0, waitingCount, Logits.LAST, logits, null, false);
        late = false;
        long from = position - waitingCount;
        waitingCount = 0;
        checkFinite(logits, 0, from, position);
    }

    /**
     * @param picked null to write all logits to {@code rows} at once
     * @param verify whether the state stays as it is
     */
    private void forward(int[] ids, int from, int to, Logits wanted, float[] rows, TopLogits picked, boolean verify) {
        verifiedRows = 0;
        try {
            batch.clear().add(state, ids, from, to, wanted);
            if (verify) {
                model.verify(batch, rows);
            } else if (picked == null) {
                model.forward(batch, rows);
            } else {
                model.forward(batch, picked, rows);
            }
        } catch (Throwable e) { // the state may have read some of the ids
            markDamaged(e);
            throw e;
        } finally {
            batch.clear();
        }
    }

    /** @throws UncheckedIOException if a mapped file was truncated */
    private void markDamaged(Throwable e) {
        damage = new IllegalStateException("the session is unusable because the model failed: " + e.getMessage(), e);
        if (e instanceof InternalError) { // how HotSpot reports a truncated mapped file
            damage = new UncheckedIOException(
                    new IOException("a file of the model was truncated while it was in use; fetch it again", e));
            throw damage;
        }
    }

    private void checkFinite(float[] rows, int offset, long from, long to) {
        if (!isFinite(rows, offset)) {
            damage = new NonFiniteException(from, to);
            throw damage;
        }
    }

    private boolean isFinite(float[] rows, int offset) {
        int worst = 0;
        for (int i = offset; i < offset + logits.length; i++) {
            // the sum overflows to a negative number if all exponent bits are set: infinities and NaN
            worst |= (Float.floatToRawIntBits(rows[i]) & 0x7F800000) + 0x00800000;
        }
        return worst >= 0;
    }

    /** The most ids of one {@link #verify}; 0 if the model's backend cannot verify. */
    public int maxVerifiedIds() {
        return model.maxVerifiedRows();
    }

    /**
     * Computes the logits after each of the ids {@code [from, to)}, in one pass, without appending them. They have exactly
     * the bits that they have if each id is fed and its logits are read. {@link #keep} then appends the first of the ids.
     *
     * @param ids at least 1, at most {@link #maxVerifiedIds()}
     * @return how many of the first logits are finite: the caller must not use the others
     * @throws BadRequestException if an id is outside the vocabulary
     * @throws NonFiniteException as {@link #feed(int[], int, int)}
     */
    public int verify(int[] ids, int from, int to) {
        checkSound();
        checkIds(ids, from, to);
        if (waitingCount > 0) {
            logits();
        }
        int vocab = logits.length;
        if (verified.length < (to - from) * vocab) {
            verified = new float[(to - from) * vocab];
        }
        forward(ids, from, to, Logits.ALL, verified, null, true);
        verifiedRows = to - from;
        finiteRows = 0;
        while (finiteRows < verifiedRows && isFinite(verified, finiteRows * vocab)) {
            finiteRows++;
        }
        return finiteRows;
    }

    /**
     * The logits after one of the ids of the last {@link #verify}.
     *
     * @param index of the id, from 0
     * @return {@code [vocab]}, the session's own array, read-only, valid until the next call
     */
    public float[] verifiedLogits(int index) {
        if (index < 0 || index >= verifiedRows) {
            throw new IllegalStateException("no logits of verified id " + index + ": there are " + verifiedRows);
        }
        if (verifiedRow == null) {
            verifiedRow = new float[logits.length];
        }
        System.arraycopy(verified, index * logits.length, verifiedRow, 0, logits.length);
        return verifiedRow;
    }

    /**
     * Appends the first ids of the last {@link #verify}, at a fraction of the cost of feeding them. The session is then, to
     * the bit, what it would be if each of them had been fed and its logits read.
     *
     * @param count 0 to the number of ids; 0 leaves the session as it was before {@link #verify}
     * @throws IllegalStateException if the last call was not {@link #verify} or {@link #verifiedLogits}
     * @throws NonFiniteException as {@link #feed(int[], int, int)}
     */
    public void keep(int count) {
        checkSound();
        if (count < 0 || count > verifiedRows) {
            throw new IllegalStateException("cannot keep " + count + " ids: " + verifiedRows + " are verified");
        }
        if (count > finiteRows) {
            damage = new NonFiniteException(position + finiteRows, position + finiteRows + 1);
            throw damage;
        }
        if (count > 0) {
            try {
                model.keep(state, count);
            } catch (Throwable e) { // the state may have read some of the ids
                markDamaged(e);
                throw e;
            }
            System.arraycopy(verified, (count - 1) * logits.length, logits, 0, logits.length);
            logitsValid = true;
            late = false;
            position += count;
        }
        verifiedRows = 0;
    }

    /** @throws IllegalStateException if the session is unusable */
    void checkSound() {
        if (damage != null) {
            throw damage;
        }
    }

    /** A copy of this session, independent of it from here on. */
    public Session fork() {
        checkSound();
        Session copy = new Session(model);
        copy.copyFrom(this);
        return copy;
    }

    /** Becomes a copy of another session of the same model, without allocating. */
    public void copyFrom(Session other) {
        other.checkSound();
        damage = null;
        verifiedRows = 0;
        finishLogits();
        other.finishLogits();
        state.copyFrom(other.state);
        System.arraycopy(other.waiting, 0, waiting, 0, other.waitingCount);
        waitingCount = other.waitingCount;
        System.arraycopy(other.logits, 0, logits, 0, logits.length);
        logitsValid = other.logitsValid;
        position = other.position;
    }

    /** Receives the log-probabilities of scored ids, in order. */
    public interface ScoreListener {

        /**
         * @param index of the id in the scored array
         * @param logProbability natural logarithm of the id's probability; NaN for the first id of a sequence
         */
        void scored(int index, double logProbability);
    }

    /**
     * Feeds ids and reports the probability of each.
     *
     * @throws BadRequestException if an id is outside the vocabulary
     */
    public void score(int[] ids, ScoreListener listener) {
        if (ids.length == 0) {
            return;
        }
        listener.scored(0, position == 0 ? Double.NaN : new LogProbabilities(logits()).of(ids[0]));
        int vocab = logits.length;
        int step = Math.min(model.maxRows(), 32); // rows of logits in memory at a time
        float[] rows = new float[Math.min(step, ids.length) * vocab];
        for (int from = 0; from < ids.length; from += step) {
            int to = Math.min(from + step, ids.length);
            forward(ids, from, to, Logits.ALL, rows, null, false);
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
