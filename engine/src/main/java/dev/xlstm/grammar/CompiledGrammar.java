package dev.xlstm.grammar;

import java.util.Arrays;

/**
 * A grammar compiled for a vocabulary. Computes the set of allowed tokens at a position by walking the vocabulary's trie
 * and the automaton together, and caches it. Create a {@link GrammarMask} for each text. Not thread-safe: neither this
 * class nor masks that share it.
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
            throw new GrammarException("the grammar has no finite text: every rule is endlessly recursive, or needs "
                    + "bytes that the vocabulary has no token for");
        }
    }

    /** Identifies the grammar: SHA-256 of its source text, in hexadecimal. */
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

    /** Bit set of the allowed ids, 64 to a word. */
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
     * The allowed ids after which {@code tokensLeft} more tokens suffice to complete the text.
     *
     * @param into receives the bit set
     */
    void mask(StackSet position, int tokensLeft, long[] into) {
        long[] all = mask(position);
        if (position.maskCost <= tokensLeft) { // one token per byte suffices
            System.arraycopy(all, 0, into, 0, all.length);
        } else {
            Arrays.fill(into, 0);
            fill(into, position, tokensLeft);
        }
    }

    /** Sets the bits; returns the largest completion cost in bytes after any of these tokens. */
    private int fill(long[] mask, StackSet position, int tokensLeft) {
        int highest = 0;
        long limit = positions.steps() + GrammarLimits.MASK_STEPS;
        path[0] = position;
        int node = 0;
        while (node < vocabulary.nodes()) {
            int depth = vocabulary.depth(node);
            StackSet after = positions.next(path[depth - 1], vocabulary.value(node));
            if (positions.steps() > limit) {
                throw new GrammarException("the grammar is too ambiguous: computing the allowed tokens takes too long");
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
     * Token count of the lexicographically first shortest completion, an upper bound of the tokens needed. After its first
     * token the rest is again the lexicographically first shortest completion, so the count decreases.
     */
    int tokensToEnd(StackSet position) {
        if (position.tokensToEnd < 0) {
            position.tokensToEnd = position.cost > GrammarLimits.SPELLED ? position.cost : spell(position);
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
                return ShortestCompletions.NEVER; // the shortest completion exceeds the stack depth
            }
            ending[i] = (byte) b;
            at = next;
        }
        return vocabulary.tokensFor(ending);
    }
}
