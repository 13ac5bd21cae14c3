package dev.xlstm.generation;

import dev.xlstm.backend.TopLogits;
import dev.xlstm.sampling.Sampler;
import java.util.Set;

/** Continues a text, one id after another: choose, write, read, until something ends the text. */
final class DecodeLoop {

    private final TextModel model;
    private final DraftedSession session;
    private final ResumableSampler sampling;
    private final StreamedText text;
    private final GrammarCursor grammar; // null for none
    private final GenerationOptions options;
    private final GenerationListener listener;
    private final Set<Integer> eosIds;
    private long tokens;

    DecodeLoop(
            TextModel model,
            DraftedSession session,
            ResumableSampler sampling,
            StreamedText text,
            GrammarCursor grammar,
            GenerationOptions options,
            GenerationListener listener) {
        this.model = model;
        this.session = session;
        this.sampling = sampling;
        this.text = text;
        this.grammar = grammar;
        this.options = options;
        this.listener = listener;
        eosIds = options.ignoreEos() ? Set.of() : model.specialTokens().stopIds();
    }

    FinishReason run() {
        while (!hasStopped()) {
            if (tokens == options.maxTokens()) {
                return FinishReason.LENGTH;
            }
            if (listener.cancelled()) {
                return FinishReason.INTERRUPTED;
            }
            int id = choose();
            FinishReason end = endOfText(id);
            if (grammar != null) {
                grammar.accept(id, end != null);
            }
            if (end != null) {
                return grammar == null ? end : FinishReason.STOP; // the grammar decides where its text may end
            }
            tokens++;
            listener.token(id, text.accept(id), session::logits); // before feeding: the logits are those of this id
            session.feed(id);
            sampling.accept(id);
        }
        return FinishReason.STOP;
    }

    /** Whether a stop string is complete, or nothing may follow in the grammar. */
    private boolean hasStopped() {
        return text.stopped() || grammar != null && grammar.mask().hasEnded();
    }

    private int choose() {
        model.checkFiles();
        Sampler sampler = sampling.sampler();
        if (grammar != null) {
            return sampler.next(session.logits(), grammar.mask());
        }
        TopLogits top = session.topLogits(sampler.reach());
        return top == null ? sampler.next(session.logits()) : sampler.next(top.ids(), top.logits());
    }

    /** Why an id ends the text; null if it is part of it. */
    private FinishReason endOfText(int id) {
        if (options.stopIds().contains(id)) {
            return FinishReason.STOP;
        }
        return eosIds.contains(id) ? FinishReason.EOS : null;
    }

    /** How many ids have been written. */
    long tokens() {
        return tokens;
    }
}
