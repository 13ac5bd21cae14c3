package dev.xlstm.grammar;

import java.util.Arrays;

/**
 * A grammar made ready for a vocabulary: which tokens may follow at each position, worked out by walking vocabulary and
 * automaton together, and remembered. Make a {@link GrammarMask} for each text. Not thread-safe, nor are its masks
 * together.
 */
public final class CompiledGrammar {

    private final String hash;
    private final TokenTrie vocabulary;
    private final Positions positions;
    private final StackSet start;
    private final StackSet[] path; // [longest token + 1], scratch

    CompiledGrammar(Automaton automaton, TokenTrie vocabulary, String hash) {
        this.hash = hash;
        this.vocabulary = vocabulary;
        positions = new Positions(automaton, vocabulary.singles());
        start = positions.start();
        path = new StackSet[vocabulary.longest() + 1];
        if (start.isEmpty()) {
            throw new GrammarException("no text of the grammar ever ends: each begins another part of itself, or needs "
                    + "bytes that the vocabulary has no token for");
        }
    }

    /** Tells this grammar from others: SHA-256 of the text it was made from, in hexadecimal. */
    public String hash() {
        return hash;
    }

    StackSet start() {
        return start;
    }

    TokenTrie vocabulary() {
        return vocabulary;
    }

    StackSet next(StackSet position, int b) {
        return positions.next(position, b);
    }

    /** The ids that may follow, 64 to a word. */
    long[] mask(StackSet position) {
        if (position.mask == null) {
            long[] mask = new long[(vocabulary.vocabSize() + 63) / 64];
            position.maskCost = fill(mask, position, Integer.MAX_VALUE);
            position.mask = mask;
            positions.grow(mask.length / 2);
        }
        return position.mask;
    }

    /**
     * The ids that may follow and leave it possible to end with so many more tokens.
     *
     * @param into is overwritten
     */
    void mask(StackSet position, int tokensLeft, long[] into) {
        long[] all = mask(position);
        if (position.maskCost <= tokensLeft) { // a byte at a time would do
            System.arraycopy(all, 0, into, 0, all.length);
        } else {
            Arrays.fill(into, 0);
            fill(into, position, tokensLeft);
        }
    }

    /** Sets the bits; returns the highest cost, in bytes, after any of the tokens. */
    private int fill(long[] mask, StackSet position, int tokensLeft) {
        int highest = 0;
        long limit = positions.steps() + Limits.MASK_STEPS;
        path[0] = position;
        int node = 0;
        while (node < vocabulary.nodes()) {
            int depth = vocabulary.depth(node);
            StackSet after = positions.next(path[depth - 1], vocabulary.value(node));
            if (positions.steps() > limit) {
                throw new GrammarException(
                        "the grammar is too ambiguous: to find the tokens that may follow takes too long");
            }
            if (after.isEmpty()) {
                node = vocabulary.end(node);
                continue;
            }
            path[depth] = after;
            int id = vocabulary.token(node);
            if (id != TokenTrie.NONE && endsWithin(after, tokensLeft)) {
                highest = Math.max(highest, after.cost);
                for (; id != TokenTrie.NONE; id = vocabulary.alike(id)) {
                    mask[id >> 6] |= 1L << id;
                }
            }
            node++;
        }
        return highest;
    }

    boolean endsWithin(StackSet position, int tokens) {
        return position.cost <= tokens || tokensToEnd(position) <= tokens;
    }

    /**
     * How many tokens end the text for certain: as many as spell the first in order of the shortest endings. Going on
     * with the first of those tokens leaves the first in order of the shortest endings again, so the number falls.
     */
    int tokensToEnd(StackSet position) {
        if (position.tokensToEnd < 0) {
            position.tokensToEnd = position.cost > Limits.SPELLED ? position.cost : spell(position);
        }
        return position.tokensToEnd;
    }

    private int spell(StackSet position) {
        byte[] ending = new byte[position.cost];
        StackSet at = position;
        for (int i = 0; i < ending.length; i++) {
            int b = positions.leastByteToEnd(at);
            StackSet next = b < 0 ? at : positions.next(at, b);
            if (next.cost != at.cost - 1) {
                return Completion.NEVER; // the shortest ending needs more levels than there may be
            }
            ending[i] = (byte) b;
            at = next;
        }
        return vocabulary.tokensFor(ending);
    }
}
