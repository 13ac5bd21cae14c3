package dev.xlstm.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Decodes ids that arrive one by one. The bytes of a character may lie in several tokens: a character comes out when it is
 * whole, U+FFFD as soon as it can no longer become one. Not for use by two threads at once.
 */
public final class Decoder {
    private final Tokenizer tokenizer;
    private final boolean skipSpecial;
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private byte[] pending = {}; // the beginning of a character, at most 3 bytes

    Decoder(Tokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
    }

    /** The text that this id completes, often all of its own, possibly empty. */
    public String accept(int id) {
        if (skipSpecial && tokenizer.isSpecial(id)) {
            return "";
        }
        return decode(tokenizer.sharedBytes(id), false);
    }

    /** Ends the text: what is held back becomes U+FFFD. The decoder then stands at the beginning of a new text. */
    public String finish() {
        return decode(new byte[0], true);
    }

    /** The bytes held back, to be kept with a saved session: the beginning of one character, or none. */
    public byte[] pending() {
        return pending.clone();
    }

    /**
     * Goes on where another decoder stopped.
     *
     * @param bytes what its {@link #pending()} gave
     * @throws IllegalArgumentException if they are not the beginning of one character
     */
    public void restore(byte[] bytes) {
        pending = new byte[0];
        if (bytes.length > 3 || !decode(bytes, false).isEmpty()) {
            pending = new byte[0];
            throw new IllegalArgumentException("pending bytes are not the beginning of one UTF-8 character");
        }
    }

    private String decode(byte[] more, boolean last) {
        ByteBuffer in = ByteBuffer.allocate(pending.length + more.length);
        in.put(pending).put(more).flip();
        CharBuffer out = CharBuffer.allocate(in.remaining() + 1);
        utf8.decode(in, out, last);
        if (last) {
            utf8.flush(out);
            utf8.reset();
        }
        pending = new byte[in.remaining()];
        in.get(pending);
        return out.flip().toString();
    }
}
