package dev.xlstm.tokenizer;

import java.util.Arrays;

/**
 * The printable spelling of bytes in a byte-level vocabulary, as defined by GPT-2: printable characters of Latin-1 stand
 * for themselves; the other 68 bytes are U+0100 and up, in order (the space is Ġ, U+0120).
 */
final class ByteAlphabet {
    private static final char[] CHARS = new char[256];
    private static final short[] BYTES = new short[256 + 68];

    static {
        Arrays.fill(BYTES, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            CHARS[b] = (char) (printable ? b : next++);
            BYTES[CHARS[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    static char charOf(byte b) {
        return CHARS[b & 0xFF];
    }

    /** The byte a character spells, 0 to 255; -1 for a character outside the alphabet. */
    static int byteOf(char c) {
        return c < BYTES.length ? BYTES[c] : -1;
    }

    /** Writes the bytes spelled by {@code text[from, to)} to {@code out}; false if a character is outside the alphabet. */
    static boolean bytesOf(String text, int from, int to, byte[] out, int at) {
        for (int i = from; i < to; i++) {
            int b = byteOf(text.charAt(i));
            if (b < 0) {
                return false;
            }
            out[at++] = (byte) b;
        }
        return true;
    }

    static String spell(byte[] bytes) {
        char[] spelled = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            spelled[i] = charOf(bytes[i]);
        }
        return new String(spelled);
    }
}
