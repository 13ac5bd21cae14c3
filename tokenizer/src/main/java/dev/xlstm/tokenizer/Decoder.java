package dev.xlstm.tokenizer;

import java.util.Arrays;

/**
 * Decodes ids that arrive one by one. The bytes of a character may lie in several tokens: a character comes out when it is
 * whole. Bytes that can no longer become one come out as U+FFFD, one for each maximal beginning of a character (Unicode
 * Standard, section 3.9, as Hugging Face tokenizers do). Not for use by two threads at once.
 */
public final class Decoder {
    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    private final boolean skipSpecial;

    private final byte[] pending = new byte[3]; // the beginning of a character
    private int count; // bytes pending
    private int missing; // bytes still to come
    private int codePoint; // bits so far
    private int low; // the next byte is from low to high
    private int high;

    Decoder(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /** The text that this id completes, often all of its own, possibly empty. */
    public String accept(int id) {
        if (skipSpecial && tokenizer.isSpecial(id)) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        decode(tokenizer.sharedBytes(id), text);
        return text.toString();
    }

    /** Ends the text: what is held back becomes U+FFFD. The decoder then stands at the beginning of a new text. */
    public String finish() {
        boolean incomplete = count > 0;
        clear();
        return incomplete ? String.valueOf(REPLACEMENT) : "";
    }

    /** The bytes held back, to be kept with a saved session: the beginning of one character, or none. */
    public byte[] pending() {
        return Arrays.copyOf(pending, count);
    }

    /**
     * Goes on where another decoder stopped.
     *
     * @param bytes what its {@link #pending()} gave
     * @throws IllegalArgumentException if they are not the beginning of one character
     */
    public void restore(byte[] bytes) {
        clear();
        StringBuilder text = new StringBuilder();
        decode(bytes, text);
        if (!text.isEmpty()) {
            clear();
            throw new IllegalArgumentException("pending bytes are not the beginning of one UTF-8 character");
        }
    }

    private void clear() {
        count = 0;
        missing = 0;
    }

    private void decode(byte[] bytes, StringBuilder text) {
        for (byte b : bytes) {
            int value = b & 0xFF;
            if (missing > 0 && value >= low && value <= high) {
                codePoint = codePoint << 6 | value & 0x3F;
                if (--missing == 0) {
                    count = 0;
                    text.appendCodePoint(codePoint);
                } else {
                    hold(b, missing, 0x80, 0xBF);
                }
                continue;
            }
            if (missing > 0) {
                clear();
                text.append(REPLACEMENT);
            }
            begin(b, text);
        }
    }

    /** The first byte of a character. What may follow keeps out overlong forms, surrogates and what is beyond U+10FFFF. */
    private void begin(byte b, StringBuilder text) {
        int value = b & 0xFF;
        if (value < 0x80) {
            text.append((char) value);
        } else if (value >= 0xC2 && value <= 0xDF) {
            codePoint = value & 0x1F;
            hold(b, 1, 0x80, 0xBF);
        } else if (value >= 0xE0 && value <= 0xEF) {
            codePoint = value & 0x0F;
            hold(b, 2, value == 0xE0 ? 0xA0 : 0x80, value == 0xED ? 0x9F : 0xBF);
        } else if (value >= 0xF0 && value <= 0xF4) {
            codePoint = value & 0x07;
            hold(b, 3, value == 0xF0 ? 0x90 : 0x80, value == 0xF4 ? 0x8F : 0xBF);
        } else {
            text.append(REPLACEMENT);
        }
    }

    private void hold(byte b, int stillMissing, int nextLow, int nextHigh) {
        pending[count++] = b;
        missing = stillMissing;
        low = nextLow;
        high = nextHigh;
    }
}
