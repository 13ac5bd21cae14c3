package dev.xlstm.grammar;

import java.util.Arrays;

/**
 * A set of stacks of automaton states, as a graph: stacks with the same top share an entry whose tail is the set of stacks
 * below it. So exponentially many stacks take little memory. {@link Positions} interns instances. In a position of a text,
 * every top is a state that reads a byte.
 */
final class StackSet {

    final int[] states; // ascending, distinct
    final StackSet[] tails; // tails[i] lies below states[i]; never empty
    final boolean bottom; // the empty stack is in the set: the text is complete
    final int depth; // of the deepest stack
    final int cost; // fewest bytes that empty a stack

    // for positions; computed lazily
    StackSet[] next; // by byte
    Object generation; // the cache generation that next belongs to
    long[] mask; // bit set of the allowed ids
    int maskCost; // the largest cost after any of them
    int tokensToEnd = -1;

    private final int hash;

    StackSet(int[] states, StackSet[] tails, boolean bottom, int[] bytesToEnd) {
        this.states = states;
        this.tails = tails;
        this.bottom = bottom;
        int deepest = 0;
        int least = bottom ? 0 : ShortestCompletions.NEVER;
        int h = Boolean.hashCode(bottom);
        for (int i = 0; i < states.length; i++) {
            deepest = Math.max(deepest, tails[i].depth + 1);
            least = Math.min(least, ShortestCompletions.sum(bytesToEnd[states[i]], tails[i].cost));
            h = (h * 31 + states[i]) * 31 + System.identityHashCode(tails[i]);
        }
        depth = deepest;
        cost = least;
        hash = h;
    }

    boolean isEmpty() {
        return states.length == 0 && !bottom;
    }

    /** Equal if the states are equal and the tails identical. */
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
