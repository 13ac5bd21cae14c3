package dev.xlstm.grammar;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The automaton determinized lazily: a position is a {@link StackSet}, and each transition is computed once and cached.
 * When the cache is full, it is emptied.
 */
final class Positions {

    private static final int NEXT_WEIGHT = 64; // of 256 references

    private final Automaton automaton;
    private final ShortestCompletions completion;
    private final BitSet singles;

    private Map<StackSet, StackSet> known = new HashMap<>();
    private Map<Pair, StackSet> unions = new HashMap<>();
    private Object generation = new Object();
    private int weight;

    private final StackSet empty;
    private final StackSet onlyBottom;

    // scratch of the current step
    private final StackSet[] below; // [states]: the stacks below a reached state, or null
    private int[] reached = new int[64]; // the states with stacks, in order of arrival
    private int reachedCount;
    private long steps;
    private final StackSet[] returns; // [rules]: the stacks to return to after a called rule, or null
    private final BitSet called = new BitSet(); // ranks of the rules with returns
    private final Deque<StackSet> ended = new ArrayDeque<>(); // the stacks below completed rules
    private boolean complete;
    private int[] waiting = new int[64];

    private record Pair(StackSet a, StackSet b) {
        @Override
        public boolean equals(Object object) {
            return object instanceof Pair && ((Pair) object).a == a && ((Pair) object).b == b;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(a) * 31 + System.identityHashCode(b);
        }
    }

    Positions(Automaton automaton, BitSet singles) {
        this.automaton = automaton;
        this.singles = singles;
        completion = new ShortestCompletions(automaton, singles);
        below = new StackSet[automaton.states];
        returns = new StackSet[automaton.rules];
        empty = new StackSet(new int[0], new StackSet[0], false, completion.bytes);
        onlyBottom = new StackSet(new int[0], new StackSet[0], true, completion.bytes);
    }

    /** The position before the first byte; its cost is {@link ShortestCompletions#NEVER} if no text can be completed. */
    StackSet start() {
        complete = automaton.rootMayBeEmpty;
        returns[0] = onlyBottom;
        called.set(automaton.rank[0]);
        return finishStep();
    }

    /** The position after one more byte; empty if no text continues with it. */
    StackSet next(StackSet position, int b) {
        StackSet[] table = position.next;
        if (table != null && position.generation == generation) {
            StackSet known = table[b];
            if (known != null) {
                return known;
            }
        }
        StackSet result = step(position, b);
        if (position.generation != generation || position.next == null) {
            position.next = new StackSet[256];
            position.generation = generation;
            grow(NEXT_WEIGHT);
        }
        position.next[b] = result;
        return result;
    }

    /** Accounts for growth of the cache; empties it when it is full. */
    void grow(int words) {
        weight += words;
        if (weight > GrammarLimits.CACHE) {
            known = new HashMap<>();
            unions = new HashMap<>();
            generation = new Object();
            weight = 0;
        }
    }

    /** The smallest first byte of a shortest completion; -1 at the end or if there is none. */
    int leastByteToEnd(StackSet position) {
        int least = 256;
        for (int i = 0; i < position.states.length; i++) {
            int state = position.states[i];
            int tail = position.tails[i].cost;
            if (ShortestCompletions.sum(completion.bytes[state], tail) == position.cost) {
                for (int e = automaton.bytes.first(state); e != Edges.NONE; e = automaton.bytes.next(e)) {
                    if (ShortestCompletions.sum(completion.bytes[automaton.bytes.to(e)], tail) == position.cost - 1) {
                        int single = singles.nextSetBit(automaton.bytes.label(e) >> 8);
                        if (single >= 0 && single <= (automaton.bytes.label(e) & 0xFF)) {
                            least = Math.min(least, single);
                        }
                    }
                }
            }
        }
        return least == 256 ? -1 : least;
    }

    /** Automaton steps so far: the cost of computing masks. */
    long steps() {
        return steps;
    }

    private StackSet step(StackSet position, int b) {
        complete = false;
        steps += position.states.length;
        for (int i = 0; i < position.states.length; i++) {
            for (int e = automaton.bytes.first(position.states[i]); e != Edges.NONE; e = automaton.bytes.next(e)) {
                int label = automaton.bytes.label(e);
                if (label >> 8 <= b && b <= (label & 0xFF)) {
                    reach(automaton.bytes.to(e), position.tails[i]);
                }
            }
        }
        popEnded();
        int beforeCalls = reachedCount;
        for (int i = 0; i < beforeCalls; i++) {
            call(reached[i], below[reached[i]]);
        }
        return finishStep();
    }

    /** Follows the calls, callers first, and collects the states that read a byte. */
    private StackSet finishStep() {
        for (int rank = called.nextSetBit(0); rank >= 0; rank = called.nextSetBit(rank)) {
            called.clear(rank);
            int rule = automaton.byRank[rank];
            StackSet stacks = returns[rule];
            returns[rule] = null;
            for (int state : automaton.startStates[rule]) {
                add(state, stacks);
                call(state, stacks);
            }
        }
        int count = 0;
        for (int i = 0; i < reachedCount; i++) {
            if (automaton.bytes.first(reached[i]) != Edges.NONE) {
                reached[count++] = reached[i];
            } else {
                below[reached[i]] = null;
            }
        }
        steps += reachedCount;
        int[] states = Arrays.copyOf(reached, count);
        Arrays.sort(states);
        StackSet[] tails = new StackSet[count];
        for (int i = 0; i < count; i++) {
            tails[i] = below[states[i]];
            below[states[i]] = null;
        }
        reachedCount = 0;
        if (count > GrammarLimits.POSITIONS) {
            throw new GrammarException("the grammar is too ambiguous: more than " + GrammarLimits.POSITIONS
                    + " of its positions match the text at once");
        }
        return unique(states, tails, complete);
    }

    /** Adds a state on top of stacks, and its silent closure. */
    private void reach(int first, StackSet firstStacks) {
        int size = 0;
        waiting[size++] = first;
        while (size > 0) {
            int state = waiting[--size];
            if (!add(state, firstStacks)) {
                continue;
            }
            for (int e = automaton.silent.first(state); e != Edges.NONE; e = automaton.silent.next(e)) {
                if (size == waiting.length) {
                    waiting = Arrays.copyOf(waiting, 2 * size);
                }
                waiting[size++] = automaton.silent.to(e);
            }
            if (automaton.ends.get(state)) {
                ended.add(firstStacks);
            }
        }
    }

    /** Returns from completed rules. */
    private void popEnded() {
        while (!ended.isEmpty()) {
            StackSet stacks = ended.poll();
            complete |= stacks.bottom;
            for (int i = 0; i < stacks.states.length; i++) {
                reach(stacks.states[i], stacks.tails[i]);
            }
        }
    }

    /** Adds stacks below a state; returns whether anything changed. */
    private boolean add(int state, StackSet stacks) {
        if (!fits(state, stacks)) {
            return false;
        }
        StackSet old = below[state];
        if (old == null) {
            if (reachedCount == reached.length) {
                reached = Arrays.copyOf(reached, 2 * reachedCount);
            }
            reached[reachedCount++] = state;
            below[state] = stacks;
            return true;
        }
        below[state] = union(old, stacks);
        return below[state] != old;
    }

    /** Whether the rule can be completed from this state within the stack depth. */
    private boolean fits(int state, StackSet stacks) {
        return completion.bytes[state] != ShortestCompletions.NEVER
                && stacks.depth + completion.depth[state] <= GrammarLimits.STACK_DEPTH;
    }

    private void call(int state, StackSet stacks) {
        for (int e = automaton.calls.first(state); e != Edges.NONE; e = automaton.calls.next(e)) {
            int rule = automaton.calls.label(e);
            StackSet after;
            if (automaton.tailCalls.get(e)) {
                after = stacks;
            } else if (fits(automaton.calls.to(e), stacks)) {
                after = unique(new int[] {automaton.calls.to(e)}, new StackSet[] {stacks}, false);
            } else {
                continue;
            }
            if (fits(automaton.starts[rule], after)) {
                returns[rule] = returns[rule] == null ? after : union(returns[rule], after);
                called.set(automaton.rank[rule]);
            }
        }
    }

    private StackSet union(StackSet a, StackSet b) {
        if (a == b || b.isEmpty()) {
            return a;
        }
        if (a.isEmpty()) {
            return b;
        }
        Pair pair = new Pair(a, b);
        StackSet known = unions.get(pair);
        if (known != null) {
            return known;
        }
        int[] states = new int[a.states.length + b.states.length];
        steps += states.length;
        StackSet[] tails = new StackSet[states.length];
        int i = 0;
        int j = 0;
        int count = 0;
        while (i < a.states.length || j < b.states.length) {
            int left = i < a.states.length ? a.states[i] : Integer.MAX_VALUE;
            int right = j < b.states.length ? b.states[j] : Integer.MAX_VALUE;
            states[count] = Math.min(left, right);
            tails[count++] = left < right ? a.tails[i] : right < left ? b.tails[j] : union(a.tails[i], b.tails[j]);
            i += left <= right ? 1 : 0;
            j += right <= left ? 1 : 0;
        }
        StackSet union = unique(Arrays.copyOf(states, count), Arrays.copyOf(tails, count), a.bottom || b.bottom);
        unions.put(pair, union);
        grow(4);
        return union;
    }

    private StackSet unique(int[] states, StackSet[] tails, boolean bottom) {
        if (states.length == 0) {
            return bottom ? onlyBottom : empty;
        }
        StackSet made = new StackSet(states, tails, bottom, completion.bytes);
        StackSet same = known.putIfAbsent(made, made);
        if (same != null) {
            return same;
        }
        grow(8 + states.length);
        return made;
    }
}
