package dev.xlstm.tokenizer;

import java.util.Arrays;
import java.util.BitSet;

/** The last stage: takes each stretch as a pretoken and turns its UTF-8 bytes into ids. */
final class BpeStage implements Stage {
    private final Bpe bpe;
    private final BitSet hidden;
    private final Bpe.Cache cache;
    private final Merger merger;
    private final IntList out;

    private final TextBuffer pretoken = new TextBuffer();
    private byte[] bytes = new byte[256];
    private int[] ids = new int[256];

    /** @param asText ids of added tokens that are replaced by their bytes where merging produces them */
    BpeStage(Bpe bpe, BitSet asText, IntList out) {
        this.bpe = bpe;
        hidden = (BitSet) bpe.mergeable().clone();
        hidden.and(asText);
        this.cache = hidden.isEmpty() ? bpe.cache() : new Bpe.Cache();
        this.merger = new Merger(bpe.merges());
        this.out = out;
    }

    @Override
    public void text(char[] chars, int from, int to) {
        while (pretoken.length + to - from > TokenizerLimits.PIECE_CHARS) {
            int cut = from + TokenizerLimits.PIECE_CHARS - pretoken.length;
            if (cut > from && Character.isHighSurrogate(chars[cut - 1])) {
                cut--;
            }
            pretoken.append(chars, from, cut);
            end();
            from = cut;
        }
        pretoken.append(chars, from, to);
    }

    @Override
    public void end() {
        int length = pretoken.length;
        if (length == 0) {
            return;
        }
        pretoken.length = 0;
        if (length > Bpe.Cache.MAX_CHARS) {
            int count = encode(length); // may replace ids
            out.addAll(ids, count);
            return;
        }
        char[] chars = pretoken.chars;
        int hash = Bpe.Cache.hash(chars, 0, length);
        Bpe.Entry entry = cache.get(hash);
        if (entry != null && Arrays.equals(entry.pretoken(), 0, entry.pretoken().length, chars, 0, length)) {
            out.addAll(entry.ids(), entry.ids().length);
            return;
        }
        int count = encode(length);
        out.addAll(ids, count);
        if (entry == null) {
            cache.put(hash, new Bpe.Entry(Arrays.copyOf(chars, length), Arrays.copyOf(ids, count)));
        }
    }

    @Override
    public void token(int id) {
        out.add(id);
    }

    /** Encodes {@code pretoken.chars[0, length)} into {@code ids} and returns their count. */
    private int encode(int length) {
        if (bytes.length < 3 * length) {
            bytes = new byte[3 * length];
            ids = new int[3 * length];
        }
        int count = utf8(pretoken.chars, length, bytes);
        if (bpe.ignoreMerges()) {
            int whole = bpe.vocabulary().id(bytes, 0, count);
            if (whole >= 0 && !hidden.get(whole)) {
                ids[0] = whole;
                return 1;
            }
        }
        int[] byteIds = bpe.byteIds();
        for (int i = 0; i < count; i++) {
            ids[i] = byteIds[bytes[i] & 0xFF];
        }
        int merged = merger.merge(ids, count);
        return hidden.isEmpty() ? merged : unhide(merged);
    }

    /** Puts the bytes of hidden tokens in their place. */
    private int unhide(int count) {
        int to = 0;
        int[] merged = Arrays.copyOf(ids, count);
        for (int id : merged) {
            if (hidden.get(id)) {
                for (byte b : bpe.vocabulary().bytes(id)) {
                    ids[to++] = bpe.byteIds()[b & 0xFF];
                }
            } else {
                ids[to++] = id;
            }
        }
        return to;
    }

    private static int utf8(char[] chars, int length, byte[] out) {
        int count = 0;
        for (int i = 0; i < length; i++) {
            char c = chars[i];
            if (c < 0x80) {
                out[count++] = (byte) c;
            } else if (c < 0x800) {
                out[count++] = (byte) (0xC0 | c >> 6);
                out[count++] = (byte) (0x80 | c & 0x3F);
            } else if (Character.isHighSurrogate(c)) {
                int codePoint = Character.toCodePoint(c, chars[++i]);
                out[count++] = (byte) (0xF0 | codePoint >> 18);
                out[count++] = (byte) (0x80 | codePoint >> 12 & 0x3F);
                out[count++] = (byte) (0x80 | codePoint >> 6 & 0x3F);
                out[count++] = (byte) (0x80 | codePoint & 0x3F);
            } else {
                out[count++] = (byte) (0xE0 | c >> 12);
                out[count++] = (byte) (0x80 | c >> 6 & 0x3F);
                out[count++] = (byte) (0x80 | c & 0x3F);
            }
        }
        return count;
    }
}
