package dev.xlstm.request;

import dev.xlstm.chat.ChatPrompt;
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
        // all of this before joining, as every member waits for each
        int[] prompt;
        GenerationRequest wanted = request;
        if (request.messages() != null) {
            ChatPrompt chat = ChatPrompt.of(model.directory(), request.messages());
            prompt = chat.ids();
            wanted = request.withOptions(chat.answering(request.options()));
        } else {
            prompt = prompt(request, state == null);
        }
        GenerationOptions options = grammars.options(wanted);
        try (TextModel member = batch.join();
                TextSession session = state == null ? member.newSession() : member.resume(state)) {
            session.feed(prompt, listener);
            return session.generate(options, listener);
        }
    }

    private int[] prompt(GenerationRequest request, boolean begins) {
        if (request.prompt() != null) {
            return begins ? model.encodePrompt(request.prompt()) : model.encode(request.prompt());
        }
        return request.promptIds() == null ? new int[0] : request.promptIds();
    }
}
