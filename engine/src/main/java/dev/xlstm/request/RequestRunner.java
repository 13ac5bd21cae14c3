package dev.xlstm.request;

import dev.xlstm.error.BadRequestException;
import dev.xlstm.generation.GenerationListener;
import dev.xlstm.generation.GenerationOptions;
import dev.xlstm.generation.Outcome;
import dev.xlstm.generation.TextBatch;
import dev.xlstm.generation.TextModel;
import dev.xlstm.generation.TextSession;
import java.io.IOException;
import java.nio.file.Path;

/** Runs requests on one model: each on the thread that calls, and the model's passes for all of them together. */
public final class RequestRunner {

    private final TextModel model;
    private final TextBatch batch;
    private final GrammarCompiler grammars;

    /** Until the last request is done, do not use the model otherwise. */
    public RequestRunner(TextModel model) {
        this.model = model;
        batch = new TextBatch(model);
        grammars = new GrammarCompiler(model);
    }

    /**
     * Generates what a request asks for.
     *
     * @param state a saved text that the prompt continues; null for a new text
     * @throws BadRequestException if the model cannot serve the request
     * @throws IOException if the state cannot be read
     */
    public Outcome run(GenerationRequest request, Path state, GenerationListener listener) throws IOException {
        GenerationOptions options = grammars.options(request); // before joining, as all wait for a member
        int[] prompt = prompt(request, state == null);
        try (TextModel member = batch.join();
                TextSession session = state == null ? member.newSession() : member.resume(state)) {
            session.feed(prompt, listener);
            return session.generate(options, listener);
        }
    }

    private int[] prompt(GenerationRequest request, boolean begins) {
        if (request.messages() != null) {
            throw new BadRequestException("\"messages\" are not supported yet");
        }
        if (request.prompt() != null) {
            return begins ? model.encodePrompt(request.prompt()) : model.encode(request.prompt());
        }
        return request.promptIds() == null ? new int[0] : request.promptIds();
    }
}
