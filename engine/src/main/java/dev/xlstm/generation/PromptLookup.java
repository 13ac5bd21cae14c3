package dev.xlstm.generation;

/**
 * Guesses the next ids of a text from the text itself: finds an earlier occurrence of the last ids and takes the ids that
 * followed it (prompt lookup decoding). Longer matches come first. Memory is constant: the last 64 Ki ids and one table per
 * match length; a table entry is overwritten by a later one of the same hash.
 */
final class PromptLookup {

    private static final int SIZE = 1 << 16; // of the ring and of each table
    private static final int[] LENGTHS = {8, 4, 2}; // of matches, longest first
    private static final int BITS = 16; // log2 SIZE

    private final int[] ring = new int[SIZE];
    private final int[][] ends = new int[LENGTHS.length][SIZE]; // by hash: ids added when the match ended, 0 for none
    private int added;
    private int match; // ids that had been added at the end of the earlier occurrence; 0 for none

    /** Appends an id of the text. */
    void add(int id) {
        ring[added % SIZE] = id;
        added++;
        match = 0;
        for (int l = 0; l < LENGTHS.length; l++) {
            if (added >= LENGTHS[l]) {
                int slot = hash(LENGTHS[l]);
                int earlier = ends[l][slot];
                ends[l][slot] = added;
                if (match == 0 && earlier > 0 && matches(earlier, LENGTHS[l])) {
                    match = earlier;
                }
            }
        }
    }

    /**
     * Guesses ids that follow the last.
     *
     * @param ids receives the guesses from {@code from} on
     * @param most guesses
     * @return the number of guesses, 0 if the last ids have not occurred before
     */
    int guess(int[] ids, int from, int most) {
        int count = match == 0 ? 0 : Math.min(most, added - match);
        for (int i = 0; i < count; i++) {
            ids[from + i] = ring[(match + i) % SIZE];
        }
        return count;
    }

    /** Whether the ids before {@code end} are the last ones, and all still in the ring with one more. */
    private boolean matches(int end, int length) {
        if (end - length < added - SIZE || end < length) {
            return false;
        }
        for (int i = 1; i <= length; i++) {
            if (ring[(end - i) % SIZE] != ring[(added - i) % SIZE]) {
                return false;
            }
        }
        return true;
    }

    private int hash(int length) {
        int hash = 0;
        for (int i = 1; i <= length; i++) {
            hash = hash * 31 + ring[(added - i) % SIZE];
        }
        return hash * 0x9E3779B1 >>> 32 - BITS; // Fibonacci hashing: the upper bits depend on all lower ones
    }
}
