package dev.xlstm.request;

import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.TextModel;
import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import java.util.Set;

/**
 * Compiles the grammars of requests for a model. A compiled grammar is for one thread, so each thread compiles its own,
 * and keeps the last one: the lines of a batch mostly share a grammar.
 */
public final class GrammarCompiler {

    private record Compiled(Grammar grammar, Set<Integer> stopIds, CompiledGrammar result) {}

    private final TextModel model;
    private final ThreadLocal<Compiled> last = new ThreadLocal<>();

    public GrammarCompiler(TextModel model) {
        this.model = model;
    }

    /**
     * The options of a request with its grammar, for the calling thread.
     *
     * @throws dev.xlstm.error.BadRequestException if the grammar cannot be used with the model
     */
    public GenerationOptions options(GenerationRequest request) {
        GenerationOptions options = request.options();
        if (request.grammar() == null) {
            return options;
        }
        Compiled compiled = last.get();
        if (compiled == null || compiled.grammar != request.grammar() || !compiled.stopIds.equals(options.stopIds())) {
            CompiledGrammar result = model.compile(request.grammar(), options.stopIds());
            compiled = new Compiled(request.grammar(), options.stopIds(), result);
            last.set(compiled);
        }
        return options.withGrammar(compiled.result);
    }
}
