package dev.xlstm.tokenizer;

import java.util.function.Supplier;

/**
 * Encodes text that arrives in parts. The ids that it returns, one after the other, are those of {@link Tokenizer#encode}
 * for the whole text. It holds back only the end of the text that later text could change; after several thousand chars
 * without an end of a word, it looks again only when the text has grown by a quarter. Not thread-safe.
 */
public final class Encoder {
    private static final int PART_CHARS = 8192;
    private static final char REPLACEMENT = '\uFFFD';

    private final Supplier<Stage> stages; // makes them anew for the next text; null if they can be used again
    private Stage first;
    private final IntList out;
    private char[] part = new char[256];
    private char high; // a high surrogate at the end of the last part, 0 if there was none

    /** @param reusable whether the stages, after their end, treat the next text like the first */
    Encoder(Supplier<Stage> stages, boolean reusable, IntList out) {
        this.stages = reusable ? null : stages;
        this.first = stages.get();
        this.out = out;
    }

    /** Takes more text and returns the ids that are final by now. A surrogate pair may be cut between two calls. */
    public int[] append(CharSequence text) {
        feed(text);
        return out.drain();
    }

    /** Ends the text and returns the ids held back. The encoder then stands at the beginning of a new text. */
    public int[] finish() {
        if (high != 0) {
            high = 0;
            first.text(new char[] {REPLACEMENT}, 0, 1);
        }
        first.end();
        if (stages != null) {
            first = stages.get();
        }
        return out.drain();
    }

    int[] encode(CharSequence text) {
        feed(text);
        return finish();
    }

    /** Passes text on in parts without lone surrogates. */
    private void feed(CharSequence text) {
        int length = text.length();
        int size = Math.min(length, PART_CHARS) + 2; // room for a pair
        if (part.length < size) {
            part = new char[size];
        }
        int count = 0;
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c) || high != 0) {
                count = surrogate(c, count);
            } else {
                part[count++] = c;
            }
            if (count >= PART_CHARS) {
                first.text(part, 0, count);
                count = 0;
            }
        }
        first.text(part, 0, count);
    }

    /** Adds a char that is a surrogate or follows a high one; returns the new count. */
    private int surrogate(char c, int count) {
        if (high != 0) {
            boolean pair = Character.isLowSurrogate(c);
            part[count++] = pair ? high : REPLACEMENT;
            high = 0;
            if (pair) {
                part[count++] = c;
                return count;
            }
        }
        if (Character.isHighSurrogate(c)) {
            high = c;
        } else {
            part[count++] = Character.isLowSurrogate(c) ? REPLACEMENT : c;
        }
        return count;
    }
}
