package dev.xlstm.tokenizer;

import java.util.BitSet;

/**
 * The BPE model of a tokenizer.json, shared by all encoders.
 *
 * @param byteLevel symbols are the bytes of a text; else its characters
 * @param merges left id {@code << 32 |} right id → rank {@code << 32 |} merged id
 * @param byteIds the id of each byte in a byte-level vocabulary, or of the token {@code <0xXX>} that stands for a byte of an
 *     unknown character; -1 where there is none; null without such tokens
 * @param unknown the id of an unknown symbol, -1 for none: unknown symbols are then left out
 * @param fuseUnknown whether neighbouring unknown symbols become one id
 * @param ignoreMerges whether a pretoken that is a token as a whole becomes that token at once
 * @param mergeable added tokens that ordinary text could become; empty in all but odd files
 * @param wordStart a char before which no token continues the word before, 0 for none
 */
record Bpe(
        Vocabulary vocabulary,
        boolean byteLevel,
        LongMap merges,
        int[] byteIds,
        int unknown,
        boolean fuseUnknown,
        boolean ignoreMerges,
        BitSet mergeable,
        char wordStart,
        Cache cache) {

    /** Ids of a pretoken. */
    record Entry(char[] pretoken, int[] ids) {}

    /**
     * Ids of pretokens. The first pretoken of a slot stays: replaced entries would be old garbage, and memory would grow with
     * the length of a text until a full collection. Needs no lock: entries are immutable, and any entry that a thread sees
     * is right.
     */
    static final class Cache {
        /** Longer pretokens are rare, and not kept. */
        static final int MAX_CHARS = 24;

        private final Entry[] entries = new Entry[1 << 14];

        static int hash(char[] text, int from, int to) {
            int hash = to - from;
            for (int i = from; i < to; i++) {
                hash = hash * 0x01000193 + text[i];
            }
            hash *= 0x9E3779B9;
            return hash ^ hash >>> 16;
        }

        Entry get(int hash) {
            return entries[hash & entries.length - 1];
        }

        void put(int hash, Entry entry) {
            entries[hash & entries.length - 1] = entry;
        }
    }
}
