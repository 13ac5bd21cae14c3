package dev.xlstm.tokenizer;

import java.util.Arrays;

/**
 * Decodes ids that arrive one by one. The bytes of a character may lie in several tokens: a character comes out when it is
 * whole. Invalid bytes come out as U+FFFD, one for each maximal beginning of a character (Unicode Standard, section 3.9, as
 * Hugging Face tokenizers do). Where bytes are the fallback for unknown characters, one U+FFFD for each byte comes out;
 * Hugging Face tokenizers replace the whole run of such tokens if one byte of it is invalid, which a stream cannot know.
 * Not thread-safe.
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
    private boolean begun; // a token came before
    private int leading; // chars that are still stripped from the beginning of the text

    Decoder(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        leading = tokenizer.tokenText().leadingCount();
    }

    /** Goes on in the middle of a text: the first token keeps its leading space. */
    public Decoder midText() {
        begun = true;
        leading = 0;
        return this;
    }

    /** The text that this id completes: usually the whole token, possibly nothing. */
    public String accept(int id) {
        if (skipSpecial && tokenizer.isSpecial(id) || !tokenizer.has(id)) {
            return "";
        }
        StringBuilder text = new StringBuilder();
        if (begun && !tokenizer.tokenText().separator().isEmpty()) {
            text.append(tokenizer.tokenText().separator());
        }
        decode(begun ? tokenizer.sharedBytes(id) : tokenizer.firstBytes(id), text);
        begun = true;
        return leading == 0 ? text.toString() : stripped(text);
    }

    private String stripped(StringBuilder text) {
        int from = 0;
        while (from < text.length() && leading > 0) {
            if (text.charAt(from) == tokenizer.tokenText().leading()) {
                from++;
                leading--;
            } else {
                leading = 0;
            }
        }
        return text.substring(from);
    }

    /** Ends the text: an incomplete character becomes U+FFFD. The decoder is then at the beginning of a new text. */
    public String finish() {
        StringBuilder text = new StringBuilder();
        replacePending(text);
        begun = false;
        leading = tokenizer.tokenText().leadingCount();
        return text.toString();
    }

    /** Turns an incomplete character into U+FFFD: one, or one for each byte. */
    private void replacePending(StringBuilder text) {
        int replacements = tokenizer.tokenText().byteFallback() ? count : Math.min(1, count);
        text.repeat(REPLACEMENT, replacements);
        clear();
    }

    /** The bytes of an incomplete character, to be saved with a session; possibly none. */
    public byte[] pending() {
        return Arrays.copyOf(pending, count);
    }

    /**
     * Goes on where another decoder stopped, in the middle of a text.
     *
     * @param bytes what its {@link #pending()} gave
     * @throws IllegalArgumentException if they are not the beginning of one character
     */
    public void restore(byte[] bytes) {
        clear();
        midText();
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
            replacePending(text);
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
