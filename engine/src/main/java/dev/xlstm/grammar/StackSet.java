package dev.xlstm.grammar;

import java.util.Arrays;

/**
 * A set of stacks of states, all of their tops at hand: stacks with the same top share an entry, whose tail is the set of
 * what lies below. So exponentially many stacks take little room. Made by {@link Positions}, which makes equal ones only
 * once. As the position of a text, every top is a state that reads a byte.
 */
final class StackSet {

    final int[] states; // ascending, different
    final StackSet[] tails; // tails[i] lies below states[i]; never empty
    final boolean bottom; // the empty stack is in the set: all has been read
    final int depth; // of the deepest stack
    final int cost; // the least number of bytes that empty a stack

    // for positions, filled in as they are asked for
    StackSet[] next; // by byte
    Object generation; // of the cache that next belongs to
    long[] mask; // ids of the tokens that may follow
    int maskCost; // the highest cost after any of them
    int tokensToEnd = -1;

    private final int hash;

    StackSet(int[] states, StackSet[] tails, boolean bottom, int[] bytesToEnd) {
        this.states = states;
        this.tails = tails;
        this.bottom = bottom;
        int deepest = 0;
        int least = bottom ? 0 : Completion.NEVER;
        int h = Boolean.hashCode(bottom);
        for (int i = 0; i < states.length; i++) {
            deepest = Math.max(deepest, tails[i].depth + 1);
            least = Math.min(least, Completion.sum(bytesToEnd[states[i]], tails[i].cost));
            h = (h * 31 + states[i]) * 31 + System.identityHashCode(tails[i]);
        }
        depth = deepest;
        cost = least;
        hash = h;
    }

    boolean isEmpty() {
        return states.length == 0 && !bottom;
    }

    /** Equal if the same states lie on the very same tails. */
    @Override
    public boolean equals(Object object) {
        if (!(object instanceof StackSet)) {
            return false;
        }
        StackSet other = (StackSet) object;
        if (other.hash != hash || other.bottom != bottom || !Arrays.equals(other.states, states)) {
            return false;
        }
        for (int i = 0; i < tails.length; i++) {
            if (tails[i] != other.tails[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
