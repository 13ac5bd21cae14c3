package dev.xlstm.generation;

import dev.xlstm.sampling.DryOptions;
import dev.xlstm.sampling.SamplingOptions;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a text is besides its session, as metadata of a state file: {@code text.pending}, the bytes of a character that
 * is not complete; {@code text.held}, text that may be the beginning of a stop string; {@code text.recent}, the last ids;
 * {@code sampling.seed} and {@code sampling.options} of the last generation; {@code sampler.*}, where its draws
 * stopped; {@code grammar.hash} and {@code grammar.ids}, the {@link GrammarPlace} in the middle of which it stopped.
 */
record SavedText(
        byte[] pending,
        String held,
        int[] recent,
        String samplingOptions,
        Long seed,
        Map<String, String> sampler,
        GrammarPlace grammar) {

    private static final String PENDING = "text.pending";
    private static final String HELD = "text.held";
    private static final String RECENT = "text.recent";
    private static final String OPTIONS = "sampling.options";
    private static final String SEED = "sampling.seed";
    private static final String SAMPLER = "sampler.";
    private static final String GRAMMAR = "grammar.hash";
    private static final String GRAMMAR_IDS = "grammar.ids";

    Map<String, String> metadata() {
        Map<String, String> metadata = new TreeMap<>();
        metadata.put(PENDING, HexFormat.of().formatHex(pending));
        metadata.put(HELD, held);
        metadata.put(RECENT, join(recent));
        if (samplingOptions != null) {
            metadata.put(OPTIONS, samplingOptions);
            metadata.put(SEED, Long.toString(seed));
            sampler.forEach((key, value) -> metadata.put(SAMPLER + key, value));
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
     * @param metadata of a file whose checksum fits; keys may be missing, from a writer that knows sessions only
     * @throws IllegalArgumentException naming the key whose value makes no sense
     */
    static SavedText of(Map<String, String> metadata, int vocabSize) {
        Map<String, String> sampler = new HashMap<>();
        metadata.forEach((key, value) -> {
            if (key.startsWith(SAMPLER)) {
                sampler.put(key.substring(SAMPLER.length()), value);
            }
        });
        return new SavedText(
                pending(metadata.getOrDefault(PENDING, "")),
                metadata.getOrDefault(HELD, ""),
                ids(RECENT, metadata, vocabSize),
                metadata.get(OPTIONS),
                seed(metadata.get(SEED)),
                sampler,
                metadata.containsKey(GRAMMAR)
                        ? new GrammarPlace(metadata.get(GRAMMAR), ids(GRAMMAR_IDS, metadata, vocabSize))
                        : null);
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
                throw new IllegalArgumentException("metadata '" + key + "' holds what is no id of the vocabulary");
            }
        }
        return ids;
    }

    private static Long seed(String value) {
        try {
            return value == null ? null : Long.valueOf(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("metadata '" + SEED + "' is not a whole number", e);
        }
    }

    /** Options as text, the same for equal ones in every run of the program: the order of sets and maps is not. */
    static String describe(SamplingOptions options) {
        DryOptions dry = options.dry();
        SamplingOptions ordered = options.toBuilder()
                .logitBias(Map.of())
                .dry(new DryOptions(dry.multiplier(), dry.base(), dry.allowedLength(), dry.lastN(), Set.of()))
                .build();
        return ordered + " " + new TreeMap<>(options.logitBias()) + " " + new TreeSet<>(dry.breakers());
    }
}
