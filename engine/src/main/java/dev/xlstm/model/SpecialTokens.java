package dev.xlstm.model;

import dev.xlstm.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Where texts begin and end, settled once for a model.
 *
 * @param bos the id that begins a text, if the model has one
 * @param prependBos whether a prompt that does not begin with {@code bos} gets it, once
 * @param ends ids that end a text, each with the settings that name it: {@code generation_config.json eos_token_id}
 * @param doubtful ids that a config names although the tokenizer knows them as ordinary text, likewise; they end a text
 *     only for a caller that asks for them
 */
public record SpecialTokens(
        OptionalInt bos,
        boolean prependBos,
        SortedMap<Integer, List<String>> ends,
        SortedMap<Integer, List<String>> doubtful) {

    /** Without the settings that name the ids. */
    public SpecialTokens(OptionalInt bos, boolean prependBos, Set<Integer> stopIds) {
        this(bos, prependBos, new TreeMap<>(), new TreeMap<>());
        stopIds.forEach(id -> ends.put(id, List.of()));
    }

    /** Ids that end generation. */
    public Set<Integer> stopIds() {
        return Set.copyOf(ends.keySet());
    }

    /**
     * The rules, and why they are not the config's word:
     *
     * <ul>
     *   <li>xLSTM-7b's config.json and generation_config.json say {@code eos_token_id} 2, but 2 is "!" in its tokenizer:
     *       generation would stop at every exclamation mark. So the tokenizer's own eos token ends a text, and an id of
     *       the configs does if it is an added token of the tokenizer, whether marked as special or not. Added tokens
     *       of blanks, as GPT-NeoX's tokenizer has them, are ordinary text. Without a tokenizer the configs are all
     *       there is. -1 stands for no id.
     *   <li>xLSTM large was trained on texts that begin with bos, and writes garbage without. Some of its configs have the
     *       flag {@code force_bos_token_insert}, and some, as those of NX-AI/xlstm_scaling_laws, say nothing, so bos is
     *       the default. A tokenizer_config.json that sets {@code add_bos_token}, or a template in tokenizer.json, counts
     *       before the default. bos is 0 by default, as in transformers' {@code xLSTMConfig}.
     * </ul>
     *
     * @param settings config.json
     * @param tokens null if there is no tokenizer
     */
    static SpecialTokens of(
            ModelSettings settings, GenerationConfig generation, TokenizerConfig tokenizer, Tokenizer tokens)
            throws ModelException {
        JsonObject config = settings.root();
        int maxId = Integer.MAX_VALUE;
        SortedMap<Integer, List<String>> ends = new TreeMap<>();
        SortedMap<Integer, List<String>> doubtful = new TreeMap<>();
        OptionalInt bos = config.integer("bos_token_id", -1, maxId);
        bos = bos.isPresent() && bos.getAsInt() < 0 ? OptionalInt.empty() : bos;
        OptionalInt eos = tokens == null ? OptionalInt.empty() : id(tokens, tokenizer.eosToken());
        eos.ifPresent(id -> add(ends, id, "tokenizer_config.json eos_token"));
        Map<String, List<Integer>> claims = new LinkedHashMap<>();
        claims.put(config.file().getFileName() + " eos_token_id", config.integers("eos_token_id", -1, maxId));
        claims.put("generation_config.json eos_token_id", generation.eosIds());
        claims.forEach((setting, ids) -> {
            for (int id : ids) {
                boolean known = tokens == null || isMarker(tokens, id) || ends.containsKey(id);
                if (id >= 0) {
                    add(known ? ends : doubtful, id, setting);
                }
            }
        });
        if (tokens != null) {
            OptionalInt id = id(tokens, tokenizer.bosToken());
            bos = id.isPresent() ? id : bos;
        }
        boolean large = settings.architecture() == ModelSettings.Architecture.LARGE;
        if (large && bos.isEmpty() && tokens != null && tokens.isSpecial(0)) {
            bos = OptionalInt.of(0);
        }
        boolean byDefault = large && tokens != null && tokens.templatePrefix().length == 0;
        boolean prepend = tokenizer.addBosToken().orElse(byDefault);
        prepend = config.flag("force_bos_token_insert", prepend)
                || tokenizer.addBosToken().orElse(false);
        return new SpecialTokens(bos, prepend && bos.isPresent(), ends, doubtful);
    }

    private static boolean isMarker(Tokenizer tokens, int id) {
        return tokens.isSpecial(id) || tokens.isAdded(id) && !tokens.token(id).isBlank();
    }

    private static void add(Map<Integer, List<String>> ids, int id, String setting) {
        ids.computeIfAbsent(id, key -> new ArrayList<>()).add(setting);
    }

    private static OptionalInt id(Tokenizer tokens, Optional<String> token) {
        return token.isPresent() ? tokens.id(token.get()) : OptionalInt.empty();
    }
}
