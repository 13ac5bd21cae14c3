package dev.xlstm.grammar;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A grammar as a pushdown automaton over bytes. Each rule is a graph of states. An edge reads a byte, reads nothing, or
 * calls a rule. A called rule reads at least one byte; if it is nullable, a silent edge runs parallel to the call. No rule
 * is left-recursive.
 */
final class Automaton {

    final int states;
    final Edges bytes; // label: first byte << 8 | last byte
    final Edges silent;
    final Edges calls; // label: rule
    final BitSet tailCalls = new BitSet(); // call edges that are tail calls
    final BitSet ends; // accepting states of the rules
    final int rules;
    final int[] starts; // [rules]
    final int[][] startStates; // [rules][...]: states with byte or call edges in the silent closure of the start
    final int[] rank; // [rules]: topological order; a rule called before a byte is read ranks above its caller
    final int[] byRank; // [rules]
    final boolean rootMayBeEmpty;

    private final List<String> names;

    Automaton(Grammar grammar) {
        AutomatonBuilder built = new AutomatonBuilder(grammar);
        states = built.states;
        bytes = built.bytes;
        silent = built.silent;
        calls = built.calls;
        ends = built.ends;
        names = built.names;
        rules = names.size();
        starts = built.starts.stream().mapToInt(Integer::intValue).toArray();
        rootMayBeEmpty = built.nullableRules.get(0);
        startStates = new int[rules][];
        BitSet seen = new BitSet(states);
        for (int rule = 0; rule < rules; rule++) {
            startStates[rule] = silentlyReached(starts[rule], seen);
        }
        for (int e = 0; e < calls.count(); e++) {
            tailCalls.set(e, isJustEnd(calls.to(e)));
        }
        rank = new int[rules];
        byRank = new int[rules];
        rankRules();
    }

    private int[] silentlyReached(int start, BitSet seen) {
        List<Integer> reached = new ArrayList<>(List.of(start));
        seen.set(start);
        for (int i = 0; i < reached.size(); i++) {
            for (int e = silent.first(reached.get(i)); e != Edges.NONE; e = silent.next(e)) {
                if (!seen.get(silent.to(e))) {
                    seen.set(silent.to(e));
                    reached.add(silent.to(e));
                }
            }
        }
        return reached.stream()
                .mapToInt(Integer::intValue)
                .filter(state -> bytes.first(state) != Edges.NONE || calls.first(state) != Edges.NONE)
                .toArray();
    }

    /** The rules that a rule calls before it reads a byte. */
    private int[] leftCalls(int rule) {
        BitSet called = new BitSet();
        for (int state : startStates[rule]) {
            for (int e = calls.first(state); e != Edges.NONE; e = calls.next(e)) {
                called.set(calls.label(e));
            }
        }
        return called.stream().toArray();
    }

    /** Sorts the rules topologically, callers first, by depth-first search, which finds any cycle. */
    private void rankRules() {
        int[][] called = new int[rules][];
        int[] tried = new int[rules]; // how many of called[rule] have been visited
        boolean[] done = new boolean[rules];
        int next = rules - 1;
        List<Integer> path = new ArrayList<>();
        for (int root = 0; root < rules; root++) {
            if (!done[root]) {
                path.add(root);
            }
            while (!path.isEmpty()) {
                int rule = path.get(path.size() - 1);
                if (called[rule] == null) {
                    called[rule] = leftCalls(rule);
                } else if (done[rule]) {
                    path.remove(path.size() - 1);
                    continue;
                }
                if (tried[rule] == called[rule].length) {
                    done[rule] = true;
                    rank[rule] = next;
                    byRank[next--] = rule;
                    path.remove(path.size() - 1);
                    continue;
                }
                int callee = called[rule][tried[rule]++];
                if (!done[callee]) {
                    if (called[callee] != null) {
                        throw leftRecursion(path.subList(path.indexOf(callee), path.size()));
                    }
                    path.add(callee);
                }
            }
        }
    }

    private GrammarException leftRecursion(List<Integer> circle) {
        StringBuilder way = new StringBuilder();
        for (int i = 0; i < Math.min(circle.size(), 8); i++) {
            way.append(names.get(circle.get(i))).append(" → ");
        }
        way.append(circle.size() > 8 ? "… → " : "").append(names.get(circle.get(0)));
        return new GrammarException("left recursion, a rule begins with itself: " + way
                + "; write it as a repetition, such as  a ::= b (\"+\" b)*");
    }

    String name(int rule) {
        return names.get(rule);
    }

    /** Whether only silent edges lead from here, to the end of the rule: then a call before it is a tail call. */
    private boolean isJustEnd(int state) {
        int at = state;
        for (int hops = 0; hops < 64; hops++) { // giving up only costs a stack level
            if (bytes.first(at) != Edges.NONE || calls.first(at) != Edges.NONE) {
                return false;
            }
            int e = silent.first(at);
            if (e == Edges.NONE) {
                return ends.get(at);
            }
            if (ends.get(at) || silent.next(e) != Edges.NONE) {
                return false;
            }
            at = silent.to(e);
        }
        return false;
    }
}
