package dev.xlstm.tokenizer;

import java.util.Arrays;
import java.util.BitSet;

/** The last stage of a BPE tokenizer: each stretch is a pretoken, whose bytes or characters are merged to tokens. */
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
        int merged = merger.merge(ids, symbols(bytes, count, ids));
        return hidden.isEmpty() ? merged : unhide(merged);
    }

    /** Writes the ids of the bytes or characters of {@code utf8[0, length)} to {@code to} and returns their count. */
    private int symbols(byte[] utf8, int length, int[] to) {
        if (!bpe.byteLevel()) {
            return anySymbols(utf8, length, to);
        }
        int[] byteIds = bpe.byteIds();
        for (int i = 0; i < length; i++) {
            to[i] = byteIds[utf8[i] & 0xFF];
            if (to[i] < 0) { // in odd files only
                return anySymbols(utf8, length, to);
            }
        }
        return length;
    }

    /** As {@link #symbols}, also where some symbols are unknown. */
    private int anySymbols(byte[] utf8, int length, int[] to) {
        int count = 0;
        boolean pending = false; // an unknown symbol that the next one may be fused with
        for (int i = 0; i < length; ) {
            int end = bpe.byteLevel() ? i + 1 : i + utf8Length(utf8[i]);
            int id = bpe.byteLevel()
                    ? bpe.byteIds()[utf8[i] & 0xFF]
                    : bpe.vocabulary().id(utf8, i, end);
            if (id >= 0 && !hidden.get(id)) {
                if (pending) {
                    to[count++] = bpe.unknown();
                    pending = false;
                }
                to[count++] = id;
            } else if (!bpe.byteLevel() && hasFallback(utf8, i, end)) {
                for (int j = i; j < end; j++) {
                    to[count++] = bpe.byteIds()[utf8[j] & 0xFF];
                }
            } else if (bpe.unknown() >= 0) {
                if (pending && !bpe.fuseUnknown()) {
                    to[count++] = bpe.unknown();
                }
                pending = true;
            }
            i = end;
        }
        if (pending) {
            to[count++] = bpe.unknown();
        }
        return count;
    }

    private boolean hasFallback(byte[] utf8, int from, int to) {
        if (bpe.byteIds() == null) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (bpe.byteIds()[utf8[i] & 0xFF] < 0) {
                return false;
            }
        }
        return true;
    }

    private static int utf8Length(byte first) {
        int value = first & 0xFF;
        return value < 0x80 ? 1 : value < 0xE0 ? 2 : value < 0xF0 ? 3 : 4;
    }

    /** Replaces hidden tokens by their symbols. */
    private int unhide(int count) {
        int to = 0;
        int[] merged = Arrays.copyOf(ids, count);
        for (int id : merged) {
            if (hidden.get(id)) {
                byte[] spelled = bpe.vocabulary().bytes(id);
                int[] parts = new int[spelled.length];
                int parted = symbols(spelled, spelled.length, parts);
                System.arraycopy(parts, 0, ids, to, parted);
                to += parted;
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
