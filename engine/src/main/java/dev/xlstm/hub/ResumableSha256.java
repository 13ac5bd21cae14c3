package dev.xlstm.hub;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * SHA-256 (FIPS 180-4) whose state can be written down, so that hashing goes on in a later process. MessageDigest is faster
 * but keeps its state to itself.
 */
final class ResumableSha256 {

    private static final int BLOCK = 64;
    private static final ValueLayout.OfInt BIG_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int[] K = constants();

    private final int[] h = {
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
    };
    private final int[] w = new int[64];
    private final byte[] pending = new byte[BLOCK]; // the first length % 64 bytes count
    private long length;

    /** The fractional parts of the cube roots of the first 64 primes, 32 bits each. */
    private static int[] constants() {
        int[] constants = new int[64];
        int count = 0;
        for (int n = 2; count < 64; n++) {
            boolean prime = true;
            for (int d = 2; d * d <= n; d++) {
                prime &= n % d != 0;
            }
            if (prime) {
                // floor(cbrt(n) * 2^32) by integers: cbrt(n * 2^96)
                BigInteger value = BigInteger.valueOf(n).shiftLeft(96);
                BigInteger root = BigInteger.ZERO;
                for (int bit = 40; bit >= 0; bit--) {
                    BigInteger next = root.setBit(bit);
                    root = next.pow(3).compareTo(value) <= 0 ? next : root;
                }
                constants[count++] = root.intValue();
            }
        }
        return constants;
    }

    /** Bytes hashed so far. */
    long length() {
        return length;
    }

    void update(MemorySegment bytes) {
        long at = 0;
        int held = (int) (length % BLOCK);
        length += bytes.byteSize();
        if (held > 0) {
            int count = (int) Math.min(BLOCK - held, bytes.byteSize());
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, pending, held, count);
            at = count;
            if (held + count < BLOCK) {
                return;
            }
            block(MemorySegment.ofArray(pending), 0);
        }
        for (; at + BLOCK <= bytes.byteSize(); at += BLOCK) {
            block(bytes, at);
        }
        MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, pending, 0, (int) (bytes.byteSize() - at));
    }

    private void block(MemorySegment bytes, long at) {
        for (int t = 0; t < 16; t++) {
            w[t] = bytes.get(BIG_INT, at + 4L * t);
        }
        for (int t = 16; t < 64; t++) {
            int s0 = Integer.rotateRight(w[t - 15], 7) ^ Integer.rotateRight(w[t - 15], 18) ^ w[t - 15] >>> 3;
            int s1 = Integer.rotateRight(w[t - 2], 17) ^ Integer.rotateRight(w[t - 2], 19) ^ w[t - 2] >>> 10;
            w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        }
        int a = h[0];
        int b = h[1];
        int c = h[2];
        int d = h[3];
        int e = h[4];
        int f = h[5];
        int g = h[6];
        int i = h[7];
        for (int t = 0; t < 64; t++) {
            int s1 = Integer.rotateRight(e, 6) ^ Integer.rotateRight(e, 11) ^ Integer.rotateRight(e, 25);
            int t1 = i + s1 + (e & f ^ ~e & g) + K[t] + w[t];
            int s0 = Integer.rotateRight(a, 2) ^ Integer.rotateRight(a, 13) ^ Integer.rotateRight(a, 22);
            int t2 = s0 + (a & b ^ a & c ^ b & c);
            i = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        h[0] += a;
        h[1] += b;
        h[2] += c;
        h[3] += d;
        h[4] += e;
        h[5] += f;
        h[6] += g;
        h[7] += i;
    }

    /** The hash of all bytes, in hexadecimal; nothing can be added afterwards. */
    String finish() {
        long bits = 8 * length;
        int held = (int) (length % BLOCK);
        byte[] padding = new byte[(held < 56 ? BLOCK : 2 * BLOCK) - held];
        padding[0] = (byte) 0x80;
        for (int i = 0; i < 8; i++) {
            padding[padding.length - 1 - i] = (byte) (bits >>> 8 * i);
        }
        update(MemorySegment.ofArray(padding));
        StringBuilder hex = new StringBuilder();
        for (int word : h) {
            hex.append(HexFormat.of().toHexDigits(word));
        }
        return hex.toString();
    }

    /** The state as text without blanks, for {@link #restore}. */
    String save() {
        StringBuilder text = new StringBuilder().append(length);
        for (int word : h) {
            text.append('-').append(HexFormat.of().toHexDigits(word));
        }
        return text.append('-')
                .append(HexFormat.of().formatHex(pending, 0, (int) (length % BLOCK)))
                .toString();
    }

    /** @throws IllegalArgumentException if the text is not from {@link #save} */
    static ResumableSha256 restore(String text) {
        if (!text.matches("\\d{1,18}(-[0-9a-f]{8}){8}-([0-9a-f]{2}){0,63}")) {
            throw new IllegalArgumentException("not a saved hash");
        }
        String[] parts = text.split("-", -1);
        ResumableSha256 hash = new ResumableSha256();
        hash.length = Long.parseLong(parts[0]);
        for (int i = 0; i < 8; i++) {
            hash.h[i] = HexFormat.fromHexDigits(parts[i + 1]);
        }
        byte[] held = HexFormat.of().parseHex(parts[9]);
        if (held.length != hash.length % BLOCK) {
            throw new IllegalArgumentException("not a saved hash");
        }
        System.arraycopy(held, 0, hash.pending, 0, held.length);
        return hash;
    }
}
