package dev.xlstm.tokenizer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import static dev.xlstm.tokenizer.TinyTokenizer.quote;

/** Writes small tokenizer.json files whose tokens are characters and words, not bytes: BPE with merges learnt, WordLevel. */
final class CharTokenizer {
    static final String LLAMA2_NORMALIZER =
            "{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"▁\"},"
                    + "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}]}";
    static final String LLAMA2_DECODER =
            "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"▁\"},\"content\":\" \"},"
                    + "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
                    + "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]}";

    private final Map<String, Integer> vocabulary = new LinkedHashMap<>();
    private final List<String[]> merges;
    private final List<String> added = new ArrayList<>();
    private String normalizer = "null";
    private String preTokenizer = "null";
    private String decoder = "null";
    private String unknown = "\"<unk>\"";
    private boolean fuseUnknown = true;
    private boolean byteFallback;
    private boolean ignoreMerges;
    private boolean modelFirst;
    private boolean wordLevel;

    /** @param space begins each word but the first of a line; such as ▁ */
    CharTokenizer(String space, int mergeCount) {
        for (String token : List.of("<unk>", "<s>", "</s>")) {
            vocabulary.put(token, vocabulary.size());
            added(token, "special");
        }
        List<List<String>> words = new ArrayList<>();
        for (String word : TinyTokenizer.TEXT.split("\\s+")) {
            words.add(new ArrayList<>(
                    (space + word).codePoints().mapToObj(Character::toString).toList()));
        }
        words.forEach(word -> word.forEach(c -> vocabulary.putIfAbsent(c, vocabulary.size())));
        merges = TinyTokenizer.learn(mergeCount, words);
        merges.forEach(m -> vocabulary.putIfAbsent(m[0] + m[1], vocabulary.size()));
    }

    static CharTokenizer llama2() {
        return new CharTokenizer("▁", 300).bytes().normalizer(LLAMA2_NORMALIZER).decoder(LLAMA2_DECODER);
    }

    /** Words of the text in place of characters and merges. */
    CharTokenizer words() {
        wordLevel = true;
        vocabulary.keySet().retainAll(List.of("<unk>", "<s>", "</s>"));
        for (String word : TinyTokenizer.TEXT.split("\\W+")) {
            vocabulary.putIfAbsent(word, vocabulary.size());
        }
        return this;
    }

    /** All 256 tokens {@code <0xXX>}, and bytes as fallback. */
    CharTokenizer bytes() {
        byteFallback = true;
        for (int b = 0; b < 256; b++) {
            vocabulary.put(TokenText.fallbackToken(b), vocabulary.size());
        }
        return this;
    }

    CharTokenizer without(String token) {
        vocabulary.remove(token);
        return this;
    }

    CharTokenizer normalizer(String json) {
        normalizer = json;
        return this;
    }

    CharTokenizer preTokenizer(String json) {
        preTokenizer = json;
        return this;
    }

    CharTokenizer decoder(String json) {
        decoder = json;
        return this;
    }

    CharTokenizer unknown(String json, boolean fused) {
        unknown = json;
        fuseUnknown = fused;
        return this;
    }

    CharTokenizer ignoreMerges() {
        ignoreMerges = true;
        return this;
    }

    /** Puts the model before the other parts. */
    CharTokenizer modelFirst() {
        modelFirst = true;
        return this;
    }

    CharTokenizer added(String content, String... flags) {
        List<String> set = List.of(flags);
        int id = vocabulary.computeIfAbsent(content, c -> vocabulary.size());
        StringBuilder json = new StringBuilder("{\"id\":" + id + ",\"content\":").append(quote(content));
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
            json.append(",\"" + flag + "\":" + set.contains(flag));
        }
        added.add(json.append('}').toString());
        return this;
    }

    String json() {
        List<String> vocab = new ArrayList<>();
        vocabulary.forEach((token, id) -> vocab.add(quote(token) + ":" + id));
        List<String> pairs = new ArrayList<>();
        merges.forEach(m -> pairs.add("[" + quote(m[0]) + "," + quote(m[1]) + "]"));
        String model = wordLevel
                ? "\"model\":{\"type\":\"WordLevel\",\"vocab\":{" + String.join(",", vocab) + "},\"unk_token\":"
                        + unknown + "}"
                : "\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":" + unknown
                        + ",\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":" + fuseUnknown
                        + ",\"byte_fallback\":" + byteFallback + ",\"ignore_merges\":" + ignoreMerges + ",\"vocab\":{"
                        + String.join(",", vocab) + "},\"merges\":[" + String.join(",", pairs) + "]}";
        String rest = "\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":["
                + String.join(",", added) + "],\"normalizer\":" + normalizer + ",\"pre_tokenizer\":" + preTokenizer
                + ",\"post_processor\":null,\"decoder\":" + decoder;
        return modelFirst ? "{" + model + "," + rest + "}" : "{" + rest + "," + model + "}";
    }

    Path write(Path dir) {
        try {
            return Files.writeString(dir.resolve("tokenizer.json"), json());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
