package dev.xlstm.grammar;

/** Splits a set of characters into sequences of byte ranges of their UTF-8 encodings. */
final class Utf8Ranges {

    /** Receives the first and last value of each byte, one to four of them. */
    interface Visitor {
        void sequence(int[] first, int[] last);
    }

    private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

    private Utf8Ranges() {}

    static void forEach(CharSet chars, Visitor visitor) {
        for (CharSet.Range range : chars.ranges()) {
            int first = range.first();
            for (int length = 1; length <= 4; length++) {
                int last = Math.min(range.last(), LAST_OF_LENGTH[length - 1]);
                if (first <= last) {
                    split(first, last, length, visitor);
                    first = last + 1;
                }
            }
        }
    }

    /** Splits until every byte after a byte with a partial range runs from 80 to BF. */
    private static void split(int first, int last, int length, Visitor visitor) {
        for (int i = 1; i < length; i++) {
            int low = (1 << 6 * i) - 1; // bits of the last i bytes
            if ((first & ~low) != (last & ~low)) {
                if ((first & low) != 0) {
                    split(first, first | low, length, visitor);
                    split((first | low) + 1, last, length, visitor);
                    return;
                }
                if ((last & low) != low) {
                    split(first, (last & ~low) - 1, length, visitor);
                    split(last & ~low, last, length, visitor);
                    return;
                }
            }
        }
        visitor.sequence(encode(first, length), encode(last, length));
    }

    private static int[] encode(int c, int length) {
        if (length == 1) {
            return new int[] {c};
        }
        int[] bytes = new int[length];
        for (int i = length - 1; i > 0; i--) {
            bytes[i] = 0x80 | c >> 6 * (length - 1 - i) & 0x3F;
        }
        bytes[0] = 0xFF << 8 - length & 0xFF | c >> 6 * (length - 1);
        return bytes;
    }
}
