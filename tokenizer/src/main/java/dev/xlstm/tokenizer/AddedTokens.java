package dev.xlstm.tokenizer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** A set of added tokens, in a trie over chars that finds the longest one at an offset of a text. */
final class AddedTokens {
    /** An added token and its length in the text. */
    record Match(AddedToken token, int length) {}

    /** Text that has not arrived could make a longer match. */
    static final Match UNDECIDED = new Match(null, 0);

    private final LongMap children = new LongMap(64); // node << 16 | char → node; the root is 0
    private final BitSet inner = new BitSet(); // nodes with children
    private final List<Match> matches = new ArrayList<>(); // by node, null where no token ends
    private final boolean[] asciiStarts = new boolean[0x80];
    private boolean otherStarts;
    private boolean anyLstrip;
    private final BitSet ids = new BitSet();

    AddedTokens() {
        matches.add(null);
    }

    /** Adds a token under a text: its content as the normaliser leaves it. The first of two with the same text stays. */
    void add(String text, AddedToken token) {
        if (text.isEmpty()) {
            return;
        }
        int node = 0;
        for (int i = 0; i < text.length(); i++) {
            long key = (long) node << 16 | text.charAt(i);
            int child = (int) children.get(key);
            if (child < 0) {
                child = matches.size();
                matches.add(null);
                children.put(key, child);
                inner.set(node);
            }
            node = child;
        }
        if (matches.get(node) == null) {
            matches.set(node, new Match(token, text.length()));
        }
        if (text.charAt(0) < 0x80) {
            asciiStarts[text.charAt(0)] = true;
        } else {
            otherStarts = true;
        }
        anyLstrip |= token.lstrip();
        ids.set(token.id());
    }

    /** Also true if there are no tokens. */
    boolean areAllIn(BitSet set) {
        BitSet others = (BitSet) ids.clone();
        others.andNot(set);
        return others.isEmpty();
    }

    /** Whether some token takes the white space before it. */
    boolean anyLstrip() {
        return anyLstrip;
    }

    boolean mayStartWith(char c) {
        return c < 0x80 ? asciiStarts[c] : otherStarts;
    }

    /**
     * The longest token that begins at {@code text[from]} and ends by {@code to}, null if there is none. UNDECIDED if text
     * after {@code to} could make a longer one; there is no such text if {@code last}.
     */
    Match longest(char[] text, int from, int to, boolean last) {
        Match longest = null;
        int node = 0;
        for (int i = from; i < to; i++) {
            node = (int) children.get((long) node << 16 | text[i]);
            if (node < 0) {
                return longest;
            }
            if (matches.get(node) != null) {
                longest = matches.get(node);
            }
        }
        return last || !inner.get(node) ? longest : UNDECIDED;
    }
}
