package dev.xlstm.model;

import dev.xlstm.tokenizer.Tokenizer;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Where texts begin and end, settled once for a model.
 *
 * @param bos the id that begins a text, if the model has one
 * @param prependBos whether a prompt that does not begin with {@code bos} gets it, once
 * @param stopIds ids that end generation
 * @param doubtfulStopIds ids the config calls the end although the tokenizer knows them as ordinary text; only for who
 *     asks for them
 */
public record SpecialTokens(OptionalInt bos, boolean prependBos, Set<Integer> stopIds, Set<Integer> doubtfulStopIds) {

    /**
     * The rules, and why they are not the config's word:
     *
     * <ul>
     *   <li>xLSTM-7b's config.json and generation_config.json say {@code eos_token_id} 2, but 2 is "!" in its tokenizer:
     *       generation would stop at every exclamation mark. So the tokenizer's own eos token ends a text, and an id of
     *       the configs does if the tokenizer marks it as special. Without a tokenizer the configs are all there is.
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
        Set<Integer> stop = new LinkedHashSet<>();
        Set<Integer> doubtful = new LinkedHashSet<>();
        Set<Integer> claimed = new LinkedHashSet<>(config.integers("eos_token_id", 0, maxId));
        claimed.addAll(generation.eosIds());
        OptionalInt bos = config.integer("bos_token_id", 0, maxId);
        if (tokens == null) {
            stop.addAll(claimed);
        } else {
            id(tokens, tokenizer.eosToken()).ifPresent(stop::add);
            for (int id : claimed) {
                if (tokens.isSpecial(id)) {
                    stop.add(id);
                } else if (!stop.contains(id)) {
                    doubtful.add(id);
                }
            }
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
        return new SpecialTokens(bos, prepend && bos.isPresent(), Set.copyOf(stop), Set.copyOf(doubtful));
    }

    private static OptionalInt id(Tokenizer tokens, Optional<String> token) {
        return token.isPresent() ? tokens.id(token.get()) : OptionalInt.empty();
    }
}
