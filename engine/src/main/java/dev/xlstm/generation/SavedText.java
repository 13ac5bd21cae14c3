package dev.xlstm.generation;

import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a state file keeps of a text besides its session, as metadata: {@code text.pending}, the bytes of an incomplete
 * character; {@code text.held}, text that may be the beginning of a stop string, and {@code text.held-kinds} if there are special
 * tokens in it ({@link HeldText}); {@code text.recent}, the last ids;
 * {@code sampling.options} and {@code sampling.seed} of the last generation; {@code sampler.*}, the state of its sampler;
 * {@code grammar.hash} and {@code grammar.ids}, the {@link GrammarProgress} where it stopped.
 *
 * @param sampling null if a generation begins at its seed
 * @param grammar null outside a grammar
 */
record SavedText(byte[] pending, HeldText held, int[] recent, SavedSampling sampling, GrammarProgress grammar) {

    private static final String PENDING = "text.pending";
    private static final String HELD = "text.held";
    private static final String HELD_KINDS = "text.held-kinds";
    private static final String RECENT = "text.recent";
    private static final String OPTIONS = "sampling.options";
    private static final String SEED = "sampling.seed";
    private static final String SAMPLER = "sampler.";
    private static final String GRAMMAR = "grammar.hash";
    private static final String GRAMMAR_IDS = "grammar.ids";

    Map<String, String> metadata() {
        Map<String, String> metadata = new TreeMap<>();
        metadata.put(PENDING, HexFormat.of().formatHex(pending));
        metadata.put(HELD, held.chars());
        if (held.hasSpecialTokens()) {
            metadata.put(HELD_KINDS, held.kinds());
        }
        metadata.put(RECENT, join(recent));
        if (sampling != null) {
            metadata.put(OPTIONS, sampling.options());
            metadata.put(SEED, Long.toString(sampling.seed()));
            sampling.state().forEach((key, value) -> metadata.put(SAMPLER + key, value));
        }
        if (grammar != null) {
            metadata.put(GRAMMAR, grammar.hash());
            metadata.put(GRAMMAR_IDS, join(grammar.ids()));
        }
        return metadata;
    }

    private static String join(int[] ids) {
        return IntStream.of(ids).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    }

    /**
     * @param metadata of a file whose checksum fits; keys are missing if the writer knew sessions only
     * @throws IllegalArgumentException naming the key whose value is damaged
     */
    static SavedText of(Map<String, String> metadata, int vocabSize) {
        return new SavedText(
                pending(metadata.getOrDefault(PENDING, "")),
                held(metadata),
                ids(RECENT, metadata, vocabSize),
                sampling(metadata),
                metadata.containsKey(GRAMMAR)
                        ? new GrammarProgress(metadata.get(GRAMMAR), ids(GRAMMAR_IDS, metadata, vocabSize))
                        : null);
    }

    private static HeldText held(Map<String, String> metadata) {
        String chars = metadata.getOrDefault(HELD, "");
        String kinds = metadata.get(HELD_KINDS);
        if (kinds == null) {
            return HeldText.of(chars);
        }
        try {
            return new HeldText(chars, kinds);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("metadata '" + HELD_KINDS + "' does not fit '" + HELD + "'", e);
        }
    }

    private static SavedSampling sampling(Map<String, String> metadata) {
        if (!metadata.containsKey(OPTIONS) || !metadata.containsKey(SEED)) {
            return null;
        }
        Map<String, String> state = new HashMap<>();
        metadata.forEach((key, value) -> {
            if (key.startsWith(SAMPLER)) {
                state.put(key.substring(SAMPLER.length()), value);
            }
        });
        return new SavedSampling(metadata.get(OPTIONS), seed(metadata.get(SEED)), state);
    }

    private static byte[] pending(String value) {
        try {
            return HexFormat.of().parseHex(value);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("metadata '" + PENDING + "' is not hexadecimal", e);
        }
    }

    private static int[] ids(String key, Map<String, String> metadata, int vocabSize) {
        String value = metadata.getOrDefault(key, "");
        String[] words = value.isEmpty() ? new String[0] : value.split(" ");
        int[] ids = new int[words.length];
        for (int i = 0; i < ids.length; i++) {
            try {
                ids[i] = Integer.parseInt(words[i]);
            } catch (NumberFormatException e) {
                ids[i] = -1;
            }
            if (ids[i] < 0 || ids[i] >= vocabSize) {
                throw new IllegalArgumentException("metadata '" + key + "' holds an id outside the vocabulary");
            }
        }
        return ids;
    }

    private static long seed(String value) {
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("metadata '" + SEED + "' is not a whole number", e);
        }
    }
}
