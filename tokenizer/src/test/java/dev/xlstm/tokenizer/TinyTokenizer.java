package dev.xlstm.tokenizer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Writes small tokenizer.json files: all bytes, and merges learnt from a few sentences by plain byte-pair counting. */
final class TinyTokenizer {
    static final String BYTE_LEVEL =
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}";
    static final String BYTE_LEVEL_ONLY =
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":false}";

    static final String TEXT = "The tide came in slowly and the old boat lifted from the sand. \"We'll sail at"
            + " noon,\" she said; they'd waited 1234 days, 56 hours and 7 minutes, hadn't they? I'm sure you've heard:"
            + " the harbour's lights don't go out. It isn't THE END, it'S ONLY THE BEGINNING.\n\n\tint main() { return"
            + " 0; }\n    while (tide < 1000) { tide += 10; }\r\n  Der Fluß fließt über die Brücke, où l'été naïf s'est"
            + " endormi. Река течёт медленно под мостом, река и мост. 川の水は静かに流れる。川の水。 강물이 천천히 흐른다."
            + " שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก ... --- *** === !!! ??? 😀😀 👩‍👩‍👧 🇳🇱 é é ﬁ ½ ² Ⅷ"
            + " the tide the boat the sand the tide the boat the lights and the end, and then and there.   \n   \n";

    private static final List<String[]> MERGES = learn(400);

    private final List<String> added = new ArrayList<>();
    private String normalizer = "null";
    private String preTokenizer = BYTE_LEVEL;
    private String postProcessor = "null";
    private String decoder = BYTE_LEVEL;
    private boolean ignoreMerges;
    private boolean mergesAsPairs;
    private String replacement;

    /** A Split by a regular expression as HF writes it, then bytes without their own regular expression. */
    static String splitThenBytes(String regex, String behavior, boolean invert) {
        return "{\"type\":\"Sequence\",\"pretokenizers\":["
                + split("{\"Regex\":" + quote(regex) + "}", behavior, invert) + "," + BYTE_LEVEL_ONLY + "]}";
    }

    static String split(String pattern, String behavior, boolean invert) {
        return "{\"type\":\"Split\",\"pattern\":" + pattern + ",\"behavior\":\"" + behavior + "\",\"invert\":" + invert
                + "}";
    }

    TinyTokenizer normalizer(String json) {
        normalizer = json;
        return this;
    }

    TinyTokenizer preTokenizer(String json) {
        preTokenizer = json;
        return this;
    }

    TinyTokenizer postProcessor(String json) {
        postProcessor = json;
        return this;
    }

    TinyTokenizer decoder(String json) {
        decoder = json;
        return this;
    }

    TinyTokenizer ignoreMerges() {
        ignoreMerges = true;
        return this;
    }

    TinyTokenizer mergesAsPairs() {
        mergesAsPairs = true;
        return this;
    }

    /** Adds a token under the next free id; flags by name. */
    TinyTokenizer added(String content, String... flags) {
        List<String> set = List.of(flags);
        StringBuilder json = new StringBuilder("{\"id\":" + (vocabulary().size() + added.size()) + ",\"content\":");
        json.append(quote(content));
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
            json.append(",\"" + flag + "\":" + set.contains(flag));
        }
        added.add(json.append('}').toString());
        return this;
    }

    /** Another text for the file. */
    TinyTokenizer replacing(String json) {
        replacement = json;
        return this;
    }

    String json() {
        if (replacement != null) {
            return replacement;
        }
        StringBuilder vocab = new StringBuilder();
        vocabulary()
                .forEach((token, id) -> vocab.append(vocab.isEmpty() ? "" : ",")
                        .append(quote(token))
                        .append(':')
                        .append(id));
        StringBuilder merges = new StringBuilder();
        for (String[] merge : MERGES) {
            merges.append(merges.isEmpty() ? "" : ",")
                    .append(
                            mergesAsPairs
                                    ? "[" + quote(merge[0]) + "," + quote(merge[1]) + "]"
                                    : quote(merge[0] + " " + merge[1]));
        }
        return "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[" + String.join(",", added)
                + "],\"normalizer\":" + normalizer + ",\"pre_tokenizer\":" + preTokenizer + ",\"post_processor\":"
                + postProcessor + ",\"decoder\":" + decoder
                + ",\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_prefix\":null,"
                + "\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":"
                + ignoreMerges + ",\"vocab\":{" + vocab + "},\"merges\":[" + merges + "]}}";
    }

    Path write(Path dir) {
        try {
            return Files.writeString(dir.resolve("tokenizer.json"), json());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tokenizer of this file. */
    Tokenizer load() {
        try {
            Path dir = Files.createTempDirectory("tiny-tokenizer");
            Path file = write(dir);
            Tokenizer tokenizer = Tokenizer.load(file);
            Files.delete(file);
            Files.delete(dir);
            return tokenizer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Map<String, Integer> vocabulary() {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (int b = 0; b < 256; b++) {
            vocabulary.put(String.valueOf(ByteAlphabet.charOf((byte) b)), vocabulary.size());
        }
        for (String[] merge : MERGES) {
            vocabulary.putIfAbsent(merge[0] + merge[1], vocabulary.size());
        }
        return vocabulary;
    }

    private static List<String[]> learn(int count) {
        List<List<String>> words = new ArrayList<>();
        Matcher word = Pattern.compile(Gpt2Pattern.REGEX, Pattern.UNICODE_CHARACTER_CLASS)
                .matcher(TEXT);
        while (word.find()) {
            String spelled = ByteAlphabet.spell(word.group().getBytes(StandardCharsets.UTF_8));
            words.add(new ArrayList<>(List.of(spelled.split(""))));
        }
        return learn(count, words);
    }

    /** Learns merges from words, each a list of symbols, which this merges. */
    static List<String[]> learn(int count, List<List<String>> words) {
        List<String[]> merges = new ArrayList<>();
        while (merges.size() < count) {
            Map<String, Integer> counts = new HashMap<>();
            for (List<String> symbols : words) {
                for (int i = 0; i + 1 < symbols.size(); i++) {
                    counts.merge(symbols.get(i) + " " + symbols.get(i + 1), 1, Integer::sum);
                }
            }
            if (counts.isEmpty()) {
                return merges;
            }
            String best = counts.keySet().stream()
                    .max((a, b) -> counts.get(a).equals(counts.get(b)) ? b.compareTo(a) : counts.get(a) - counts.get(b))
                    .orElseThrow();
            String[] pair = best.split(" ");
            merges.add(pair);
            for (List<String> symbols : words) {
                for (int i = 0; i + 1 < symbols.size(); i++) {
                    if (symbols.get(i).equals(pair[0]) && symbols.get(i + 1).equals(pair[1])) {
                        symbols.set(i, pair[0] + pair[1]);
                        symbols.remove(i + 1);
                    }
                }
            }
        }
        return merges;
    }

    static String quote(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ') {
                json.append(String.format("\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
