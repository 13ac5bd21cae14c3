package dev.xlstm.grammar;

import java.util.Arrays;
import java.util.BitSet;

/**
 * The tokens of a vocabulary as a byte trie, stored in depth-first order: a rejected prefix skips all tokens below it.
 * Immutable.
 */
public final class TokenTrie {

    static final int NONE = -1;

    private final byte[][] tokens;
    private final int longest;
    private int nodes;
    private byte[] value; // [nodes]: last byte of the prefix
    private int[] depth; // [nodes]: length of the prefix, at least 1
    private int[] end; // [nodes]: the first node after the subtree
    private int[] token; // [nodes]: an id whose bytes are the prefix, or NONE
    private final int[] alike; // [V]: another id of the same bytes, or NONE
    private final BitSet singles = new BitSet();

    /**
     * @param tokens by id: the bytes of each token, which may be part of a character; null or empty for ids without text,
     *     such as special tokens
     */
    public TokenTrie(byte[][] tokens) {
        this.tokens = tokens.clone();
        int vocabSize = tokens.length;
        alike = new int[vocabSize];
        Arrays.fill(alike, NONE);
        Integer[] sorted = new Integer[vocabSize];
        int count = 0;
        int bytes = 0;
        int most = 0;
        for (int id = 0; id < vocabSize; id++) {
            if (tokens[id] != null && tokens[id].length > 0) {
                sorted[count++] = id;
                bytes += tokens[id].length;
                most = Math.max(most, tokens[id].length);
                if (tokens[id].length == 1) {
                    singles.set(tokens[id][0] & 0xFF);
                }
            }
        }
        longest = most;
        Arrays.sort(sorted, 0, count, (a, b) -> Arrays.compareUnsigned(tokens[a], tokens[b]));
        value = new byte[bytes];
        depth = new int[bytes];
        end = new int[bytes];
        token = new int[bytes];
        add(sorted, count);
        value = Arrays.copyOf(value, nodes);
        depth = Arrays.copyOf(depth, nodes);
        end = Arrays.copyOf(end, nodes);
        token = Arrays.copyOf(token, nodes);
    }

    private void add(Integer[] sorted, int count) {
        int[] path = new int[longest]; // path[d]: the open node of depth d + 1
        byte[] before = {};
        int open = 0;
        for (int i = 0; i < count; i++) {
            byte[] bytes = tokens[sorted[i]];
            int shared = Arrays.mismatch(before, bytes);
            shared = shared < 0 ? bytes.length : shared;
            while (open > shared) {
                end[path[--open]] = nodes;
            }
            while (open < bytes.length) {
                value[nodes] = bytes[open];
                token[nodes] = NONE;
                depth[nodes] = open + 1;
                path[open++] = nodes++;
            }
            int node = path[open - 1];
            alike[sorted[i]] = token[node];
            token[node] = sorted[i];
            before = bytes;
        }
        while (open > 0) {
            end[path[--open]] = nodes;
        }
    }

    /** V: highest id + 1. */
    public int vocabSize() {
        return tokens.length;
    }

    /** The bytes of an id; null or empty if it has no text. */
    byte[] bytes(int id) {
        return tokens[id];
    }

    /** The length of the longest token in bytes. */
    int longest() {
        return longest;
    }

    /** The bytes that are a token of their own. */
    BitSet singles() {
        return singles;
    }

    int nodes() {
        return nodes;
    }

    int value(int node) {
        return value[node] & 0xFF;
    }

    int depth(int node) {
        return depth[node];
    }

    /** The first node after the subtree of this one. */
    int end(int node) {
        return end[node];
    }

    /** An id whose bytes are the prefix at this node, or {@link #NONE}. */
    int token(int node) {
        return token[node];
    }

    /** Another id of the same bytes, or {@link #NONE}. */
    int alike(int id) {
        return alike[id];
    }

    /** The fewest tokens that spell these bytes, or {@link Integer#MAX_VALUE} if none do. */
    int tokensFor(byte[] text) {
        int[] least = new int[text.length + 1]; // least[i]: fewest tokens for the first i bytes
        Arrays.fill(least, Integer.MAX_VALUE);
        least[0] = 0;
        for (int from = 0; from < text.length; from++) {
            if (least[from] == Integer.MAX_VALUE) {
                continue;
            }
            int node = 0;
            int limit = nodes; // end of the siblings
            int at = from;
            while (at < text.length && node < limit) {
                if (value[node] != text[at]) {
                    node = end[node];
                    continue;
                }
                at++;
                if (token[node] != NONE) {
                    least[at] = Math.min(least[at], least[from] + 1);
                }
                limit = end[node];
                node++;
            }
        }
        return least[text.length];
    }
}
