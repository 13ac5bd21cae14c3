package dev.xlstm.grammar;

import java.util.Arrays;
import java.util.BitSet;
import java.util.PriorityQueue;

/**
 * The distance of each state from the end of its rule, by Knuth's generalization of Dijkstra's algorithm to grammars
 * (Knuth, "A generalization of Dijkstra's algorithm", 1977).
 */
final class ShortestCompletions {

    /** The distance of a state that cannot reach the end. */
    static final int NEVER = Integer.MAX_VALUE;

    final int[] bytes; // [states]: fewest bytes that complete the rule
    final int[] depth; // [states]: smallest stack depth that calls on the way need

    private final Automaton automaton;
    private final Edges bytesBack;
    private final Edges silentBack;
    private final Edges callsBack;
    private final Edges callers = new Edges(); // from: rule, to: a call edge of that rule

    /**
     * @param singles bytes that are a token of their own; a completion that uses other bytes may not be spellable
     */
    ShortestCompletions(Automaton automaton, BitSet singles) {
        this.automaton = automaton;
        bytesBack = new Edges();
        for (int e = 0; e < automaton.bytes.count(); e++) {
            int label = automaton.bytes.label(e);
            int single = singles.nextSetBit(label >> 8);
            if (single >= 0 && single <= (label & 0xFF)) {
                bytesBack.add(automaton.bytes.to(e), automaton.bytes.from(e), 0);
            }
        }
        silentBack = automaton.silent.reversed();
        callsBack = automaton.calls.reversed();
        for (int e = 0; e < automaton.calls.count(); e++) {
            callers.add(automaton.calls.label(e), e, 0);
        }
        bytes = distances(false);
        depth = distances(true);
    }

    private int[] distances(boolean levels) {
        int[] ruleOfStart = new int[automaton.states];
        Arrays.fill(ruleOfStart, Edges.NONE);
        for (int rule = 0; rule < automaton.rules; rule++) {
            ruleOfStart[automaton.starts[rule]] = rule;
        }
        int[] distance = new int[automaton.states];
        Arrays.fill(distance, NEVER);
        boolean[] settled = new boolean[automaton.states];
        PriorityQueue<Long> queue = new PriorityQueue<>(); // distance << 32 | state
        automaton.ends.stream().forEach(state -> offer(queue, distance, state, 0));
        while (!queue.isEmpty()) {
            int state = (int) (long) queue.poll();
            if (settled[state]) {
                continue;
            }
            settled[state] = true;
            int here = distance[state];
            for (int e = bytesBack.first(state); e != Edges.NONE; e = bytesBack.next(e)) {
                offer(queue, distance, bytesBack.to(e), levels ? here : here + 1);
            }
            for (int e = silentBack.first(state); e != Edges.NONE; e = silentBack.next(e)) {
                offer(queue, distance, silentBack.to(e), here);
            }
            // reversed edges keep their numbers: e is the call edge that ends here
            for (int e = callsBack.first(state); e != Edges.NONE; e = callsBack.next(e)) {
                int start = automaton.starts[callsBack.label(e)];
                if (settled[start]) {
                    offer(queue, distance, callsBack.to(e), call(levels, e, distance[start], here));
                }
            }
            if (ruleOfStart[state] != Edges.NONE) {
                for (int c = callers.first(ruleOfStart[state]); c != Edges.NONE; c = callers.next(c)) {
                    int e = callers.to(c);
                    if (settled[automaton.calls.to(e)]) {
                        int after = distance[automaton.calls.to(e)];
                        offer(queue, distance, automaton.calls.from(e), call(levels, e, here, after));
                    }
                }
            }
        }
        return distance;
    }

    private int call(boolean levels, int edge, int rule, int after) {
        return levels ? Math.max(automaton.tailCalls.get(edge) ? rule : rule + 1, after) : sum(rule, after);
    }

    private static void offer(PriorityQueue<Long> queue, int[] distance, int state, int candidate) {
        if (candidate < distance[state]) {
            distance[state] = candidate;
            queue.add((long) candidate << 32 | state);
        }
    }

    /** The sum of two distances, saturating at {@link #NEVER}. */
    static int sum(int a, int b) {
        return (int) Math.min((long) a + b, NEVER);
    }
}
