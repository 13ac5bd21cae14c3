package dev.xlstm.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The model's tokens: id to bytes and bytes to id. In a byte-level vocabulary the bytes are those that a token spells in
 * {@link ByteAlphabet}, and tokens not spelled in it are known by name only; else the bytes are the token's UTF-8.
 */
final class Vocabulary {
    private static final byte[] NONE = {};

    private final boolean byteLevel;
    private final int multiplier = ThreadLocalRandom.current().nextInt() | 1;
    private byte[][] bytes = new byte[1024][]; // by id, null where there is no token
    private int[] table = new int[4096]; // open addressing: id + 1, found by the token's bytes
    private final Map<String, Integer> unspelled = new HashMap<>(); // tokens outside the byte alphabet
    private final Map<Integer, String> unspelledById = new HashMap<>();
    private int count;
    private int size;

    Vocabulary(boolean byteLevel) {
        this.byteLevel = byteLevel;
    }

    /**
     * Adds a token as the file spells it.
     *
     * @return what is wrong with it, null if nothing
     */
    String add(String token, int id) {
        if (id >= bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, id + 1));
        }
        if (bytes[id] != null) {
            return "id " + id + " is given to " + TokenizerException.quote(name(id)) + " and to "
                    + TokenizerException.quote(token) + "; give each its own";
        }
        byte[] spelled = spelled(token);
        if (spelled != null) {
            if (!enter(spelled, id)) {
                return TokenizerException.quote(token) + " is there twice; remove one";
            }
        } else {
            if (unspelled.size() == TokenizerLimits.ADDED_TOKENS) {
                return "more than " + TokenizerLimits.ADDED_TOKENS
                        + " tokens are not spelled in bytes; not a byte-level vocabulary";
            }
            if (unspelled.putIfAbsent(token, id) != null) {
                return TokenizerException.quote(token) + " is there twice; remove one";
            }
            unspelledById.put(id, token);
            spelled = token.getBytes(StandardCharsets.UTF_8);
        }
        bytes[id] = spelled;
        size = Math.max(size, id + 1);
        return null;
    }

    /** The bytes of a token; null if a byte-level vocabulary knows it by name only. */
    private byte[] spelled(String token) {
        if (!byteLevel) {
            return token.getBytes(StandardCharsets.UTF_8);
        }
        byte[] spelled = new byte[token.length()];
        return ByteAlphabet.bytesOf(token, 0, token.length(), spelled, 0) ? spelled : null;
    }

    private boolean enter(byte[] token, int id) {
        if (2 * count >= table.length) {
            int[] old = table;
            table = new int[2 * old.length];
            for (int entry : old) {
                if (entry != 0) {
                    table[free(bytes[entry - 1])] = entry;
                }
            }
        }
        if (id(token, 0, token.length) >= 0) {
            return false;
        }
        table[free(token)] = id + 1;
        count++;
        return true;
    }

    private int free(byte[] token) {
        int i = slot(token, 0, token.length);
        while (table[i] != 0) {
            i = (i + 1) & (table.length - 1);
        }
        return i;
    }

    private int slot(byte[] token, int from, int to) {
        int hash = 1;
        for (int i = from; i < to; i++) {
            hash = hash * multiplier + token[i];
        }
        hash *= 0x9E3779B9;
        return (hash ^ hash >>> 15) & (table.length - 1);
    }

    /** The id of the token with these bytes, -1 if there is none. */
    int id(byte[] token, int from, int to) {
        int i = slot(token, from, to);
        while (table[i] != 0) {
            byte[] found = bytes[table[i] - 1];
            if (Arrays.equals(found, 0, found.length, token, from, to)) {
                return table[i] - 1;
            }
            i = (i + 1) & (table.length - 1);
        }
        return -1;
    }

    /** The id of a token as the file spells it, -1 if there is none. */
    int id(String token) {
        byte[] spelled = spelled(token);
        return spelled == null ? unspelled.getOrDefault(token, -1) : id(spelled, 0, spelled.length);
    }

    /** How many tokens are spelled in bytes. */
    int count() {
        return count;
    }

    boolean has(int id) {
        return id >= 0 && id < size && bytes[id] != null;
    }

    /** The bytes of a token, not to be changed; empty if the id has none. */
    byte[] bytes(int id) {
        return has(id) ? bytes[id] : NONE;
    }

    /** The token as the file spells it, null if the id has none. */
    String name(int id) {
        if (!has(id)) {
            return null;
        }
        if (!byteLevel) {
            return new String(bytes[id], StandardCharsets.UTF_8);
        }
        String unspelledName = unspelledById.get(id);
        return unspelledName != null ? unspelledName : ByteAlphabet.spell(bytes[id]);
    }

    /** Highest id + 1. */
    int size() {
        return size;
    }
}
