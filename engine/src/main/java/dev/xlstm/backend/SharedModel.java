package dev.xlstm.backend;

import dev.xlstm.model.XlstmConfig;
import java.util.ArrayList;
import java.util.List;

/**
 * One model for several threads. Each member uses the model as if it were alone; the passes of all members are merged into
 * one, which reads the weights once. A pass starts when every member waits for one, so a member that has nothing to compute
 * for a while must leave. Members may join and leave at any time.
 *
 * <p>A sequence's results do not depend on the content of the others. Their last bits may depend on the number of rows:
 * kernels for few rows give each row the bits that it has alone, kernels for many rows need not.
 */
public final class SharedModel {

    private final LoadedModel model;
    private final List<Member> members = new ArrayList<>(); // in the order they joined
    private final Batch together = new Batch();
    private float[] logits = new float[0]; // of the merged pass
    private int waiting;

    /** Closing this object's members does not close the model. */
    public SharedModel(LoadedModel model) {
        this.model = model;
    }

    /** Adds a member, for one more thread; closing it leaves. All members can use all states. */
    public synchronized LoadedModel join() {
        Member member = new Member();
        members.add(member);
        return member;
    }

    private synchronized void forward(Member member, Batch batch, float[] out) {
        member.batch = batch;
        member.logits = out;
        waiting++;
        computeIfAllWait();
        boolean interrupted = false;
        while (member.batch != null) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true; // keep waiting: the pass may already include this batch
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (member.failure != null) {
            Throwable failure = member.failure;
            member.failure = null;
            if (failure instanceof Error error) {
                throw error;
            }
            throw new IllegalStateException(failure.getMessage(), failure);
        }
    }

    private synchronized void leave(Member member) {
        if (members.remove(member)) {
            computeIfAllWait();
        }
    }

    private void computeIfAllWait() {
        if (waiting == 0 || waiting < members.size()) {
            return;
        }
        for (int from = 0; from < members.size(); ) {
            int to = from + 1;
            int rows = members.get(from).batch.rows();
            while (to < members.size() && rows + members.get(to).batch.rows() <= model.maxRows()) {
                rows += members.get(to).batch.rows();
                to++;
            }
            compute(members.subList(from, to));
            from = to;
        }
        waiting = 0;
        notifyAll();
    }

    private void compute(List<Member> some) {
        try {
            if (some.size() == 1) {
                model.forward(some.getFirst().batch, some.getFirst().logits);
            } else {
                computeTogether(some);
            }
        } catch (RuntimeException | Error e) {
            some.forEach(member -> member.failure = e);
        } finally {
            some.forEach(member -> member.batch = null);
            together.clear();
        }
    }

    private void computeTogether(List<Member> some) {
        int vocab = model.config().vocabSize();
        some.forEach(member -> together.addAll(member.batch));
        if (logits.length < together.logitRows() * vocab) {
            logits = new float[together.logitRows() * vocab];
        }
        model.forward(together, logits);
        int row = 0;
        for (Member member : some) {
            int rows = member.batch.logitRows();
            if (rows > 0) {
                System.arraycopy(logits, row * vocab, member.logits, 0, rows * vocab);
            }
            row += rows;
        }
    }

    private final class Member implements LoadedModel {

        private Batch batch; // to be computed; null when done
        private float[] logits;
        private Throwable failure;

        @Override
        public XlstmConfig config() {
            return model.config();
        }

        @Override
        public String device() {
            return model.device();
        }

        @Override
        public int maxRows() {
            return model.maxRows();
        }

        @Override
        public State newState() {
            return model.newState();
        }

        @Override
        public void forward(Batch wanted, float[] out) {
            SharedModel.this.forward(this, wanted, out);
        }

        @Override
        public void close() {
            leave(this);
        }
    }
}
