package dev.xlstm.grammar;

import java.util.Arrays;

/** Labelled edges of a graph, in adjacency lists by source state. */
final class Edges {

    static final int NONE = -1;

    private int[] first = new int[16]; // [states]: the edge added last, or NONE
    private int states;
    private int[] next = new int[16]; // [edges]: the next edge of the same state, or NONE
    private int[] from = new int[16];
    private int[] to = new int[16];
    private int[] label = new int[16];
    private int count;

    void add(int start, int end, int name) {
        if (count == next.length) {
            next = Arrays.copyOf(next, 2 * count);
            from = Arrays.copyOf(from, 2 * count);
            to = Arrays.copyOf(to, 2 * count);
            label = Arrays.copyOf(label, 2 * count);
        }
        if (start >= first.length) {
            first = Arrays.copyOf(first, Math.max(start + 1, 2 * first.length));
        }
        if (start >= states) {
            Arrays.fill(first, states, start + 1, NONE);
            states = start + 1;
        }
        next[count] = first[start];
        from[count] = start;
        to[count] = end;
        label[count] = name;
        first[start] = count++;
    }

    int count() {
        return count;
    }

    /** The first edge from a state, or {@link #NONE}. */
    int first(int state) {
        return state < states ? first[state] : NONE;
    }

    /** The next edge from the same state, or {@link #NONE}. */
    int next(int edge) {
        return next[edge];
    }

    int from(int edge) {
        return from[edge];
    }

    int to(int edge) {
        return to[edge];
    }

    int label(int edge) {
        return label[edge];
    }

    /** The reversed edges, with the same indices. */
    Edges reversed() {
        Edges reversed = new Edges();
        for (int edge = 0; edge < count; edge++) {
            reversed.add(to[edge], from[edge], label[edge]);
        }
        return reversed;
    }
}
