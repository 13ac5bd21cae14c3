package dev.xlstm.tokenizer;

import java.util.BitSet;

/**
 * The model of a tokenizer.json, shared by all encoders.
 *
 * @param merges left id {@code << 32 |} right id → rank {@code << 32 |} merged id
 * @param byteIds the id of each byte, -1 for a byte that no UTF-8 text has
 * @param ignoreMerges whether a pretoken that is a token as a whole becomes that token at once
 * @param mergeable added tokens that merging or {@code ignoreMerges} can produce from ordinary text; few files have any
 */
record Bpe(Vocabulary vocabulary, LongMap merges, int[] byteIds, boolean ignoreMerges, BitSet mergeable, Cache cache) {

    /** Ids of a pretoken. */
    record Entry(char[] pretoken, int[] ids) {}

    /**
     * Ids of pretokens, of those that share a slot the first. None gives way to another: entries grow old, and when they then
     * became garbage, memory would grow with the length of a text. Needs no lock: an entry never changes, and whichever a
     * thread sees is right.
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
