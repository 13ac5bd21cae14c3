package dev.xlstm.grammar;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Small vocabularies for tests, and random sampling from a grammar. */
final class Vocabularies {

    private Vocabularies() {}

    /** Id 0 is the stop id, ids 1 to 256 are the bytes 0 to 255, then come the given tokens. */
    static TokenTrie withBytes(String... tokens) {
        List<byte[]> all = new ArrayList<>();
        all.add(null);
        for (int b = 0; b < 256; b++) {
            all.add(new byte[] {(byte) b});
        }
        for (String token : tokens) {
            all.add(token.getBytes(StandardCharsets.UTF_8));
        }
        return new TokenTrie(all.toArray(byte[][]::new));
    }

    static TokenTrie json() {
        return withBytes(
                "{\"",
                "\":",
                "\": ",
                "\",",
                "\", \"",
                "\"}",
                "[[",
                "]]",
                "}}",
                "],",
                " [",
                " {",
                "{}",
                "[]",
                "true",
                "false",
                "null",
                " the",
                "the",
                "name",
                "\"name",
                "12",
                "100",
                "0.",
                "-1",
                ",\n",
                "\n ",
                "  ",
                "é",
                "日本",
                "\\u",
                "\\n",
                "\\\\",
                "\":\"",
                "1e",
                "2024-",
                "T1",
                ":0",
                "a",
                "an",
                "and",
                " and",
                "ing",
                "er",
                "type",
                "\"type\":");
    }

    static GrammarMask mask(Grammar grammar, TokenTrie vocabulary, int maxTokens) {
        return new GrammarMask(grammar.compile(vocabulary), new int[] {0}, maxTokens);
    }

    static String text(List<Integer> ids, TokenTrie vocabulary) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ids.forEach(id -> bytes.writeBytes(vocabulary.bytes(id)));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    /** Samples ids uniformly among the allowed ones until the text ends. */
    static List<Integer> draw(GrammarMask mask, TokenTrie vocabulary, Random random) {
        List<Integer> ids = new ArrayList<>();
        while (!mask.hasEnded()) {
            int id = drawOne(mask, vocabulary, random);
            mask.accept(id);
            if (id != 0) {
                ids.add(id);
            }
        }
        return ids;
    }

    private static int drawOne(GrammarMask mask, TokenTrie vocabulary, Random random) {
        int count = 0;
        int chosen = -1;
        for (int id = 0; id < vocabulary.vocabSize(); id++) {
            if (mask.allows(id) && random.nextInt(++count) == 0) {
                chosen = id;
            }
        }
        if (chosen < 0) {
            throw new AssertionError("no id is allowed");
        }
        return chosen;
    }
}
