package dev.xlstm.generation;

import dev.xlstm.backend.Backends;
import dev.xlstm.backend.LoadProgress;
import dev.xlstm.backend.LoadedModel;
import dev.xlstm.backend.cpu.CpuBackend;
import dev.xlstm.error.BadRequestException;
import dev.xlstm.error.DamagedFileException;
import dev.xlstm.grammar.CompiledGrammar;
import dev.xlstm.grammar.Grammar;
import dev.xlstm.grammar.GrammarException;
import dev.xlstm.grammar.TokenTrie;
import dev.xlstm.model.Fingerprint;
import dev.xlstm.model.ModelDirectory;
import dev.xlstm.model.SpecialTokens;
import dev.xlstm.session.StateFile;
import dev.xlstm.tokenizer.Encoder;
import dev.xlstm.tokenizer.Tokenizer;
import dev.xlstm.tokenizer.TokenizerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model ready to generate: weights on a backend, and the tokenizer if there is one. The sessions of a model share it and
 * run one at a time.
 */
public final class TextModel implements AutoCloseable {

    private final ModelDirectory directory;
    private final LoadedModel loaded;
    private final Tokenizer tokenizer; // null without tokenizer.json
    private final SpecialTokens special;
    private final TextModel owner; // of a member of a batch; else null
    private Fingerprint fingerprint; // when first asked for

    /**
     * @param tokenizer null for a model that speaks in ids only
     * @param directory closed with this model; may be null
     */
    TextModel(ModelDirectory directory, LoadedModel loaded, Tokenizer tokenizer, SpecialTokens special) {
        this(directory, loaded, tokenizer, special, null);
    }

    private TextModel(
            ModelDirectory directory, LoadedModel loaded, Tokenizer tokenizer, SpecialTokens special, TextModel owner) {
        this.owner = owner;
        this.directory = directory;
        this.loaded = loaded;
        this.tokenizer = tokenizer;
        this.special = special;
    }

    /** Opens the model in a directory on the CPU with a thread for each processor. */
    public static TextModel open(Path directory) throws IOException {
        return open(
                ModelDirectory.open(directory), "cpu", Runtime.getRuntime().availableProcessors(), LoadProgress.NONE);
    }

    /**
     * Makes a model ready on a backend.
     *
     * @param backend a backend's name, or {@link Backends#AUTO}
     * @param directory is closed with the model, or if this fails
     * @throws IOException if a file of the model is missing, damaged or does not fit the others
     */
    public static TextModel open(ModelDirectory directory, String backend, int threads, LoadProgress progress)
            throws IOException {
        try {
            // weights are objects of the Vector API, wherever they are to be used: say so before the first of them
            // fails
            new CpuBackend().obstacle().ifPresent(obstacle -> {
                throw new IllegalStateException(obstacle);
            });
            directory.checkAllUsed();
            LoadedModel loaded = Backends.load(backend, directory.weights(), threads, progress);
            return new TextModel(directory, loaded, usableTokenizer(directory), directory.specialTokens());
        } catch (Throwable e) {
            directory.close();
            throw e;
        }
    }

    /** A tokenizer that cannot be used stops nothing that needs no text; {@link #requireTokenizer} says what is wrong. */
    private static Tokenizer usableTokenizer(ModelDirectory directory) throws IOException {
        try {
            return directory.tokenizer().orElse(null);
        } catch (TokenizerException e) {
            return null;
        }
    }

    /** The files the model came from. */
    public ModelDirectory directory() {
        return directory;
    }

    public LoadedModel loaded() {
        return loaded;
    }

    public Optional<Tokenizer> tokenizer() {
        return Optional.ofNullable(tokenizer);
    }

    public SpecialTokens specialTokens() {
        return special;
    }

    /**
     * The sampling that the model's makers recommend.
     *
     * @throws IOException if generation_config.json is damaged
     */
    public RecommendedSampling recommendedSampling() throws IOException {
        if (owner != null) {
            return owner.recommendedSampling();
        }
        return directory == null
                ? new RecommendedSampling(Map.of(), null)
                : RecommendedSampling.of(directory.generationConfig());
    }

    /**
     * The ids of a text as the model wants a text to begin: with its bos token, or with what the tokenizer's template puts
     * in front, if it asks for one and the text does not begin with it already. Special tokens written in the text count as
     * such.
     *
     * @throws BadRequestException if the model has no tokenizer
     */
    public int[] encodePrompt(String text) {
        PromptEncoder encoder = promptEncoder(true);
        int[] first = encoder.append(text);
        int[] rest = encoder.finish();
        int[] ids = Arrays.copyOf(first, first.length + rest.length);
        System.arraycopy(rest, 0, ids, first.length, rest.length);
        return ids;
    }

    /**
     * The ids of a text that continues another one. Special tokens written in the text count as such.
     *
     * @throws BadRequestException if the model has no tokenizer
     */
    public int[] encode(String text) {
        return requireTokenizer().encode(text, true);
    }

    /**
     * An encoder for a prompt that arrives in parts.
     *
     * @param begins whether a text begins with it, see {@link #encodePrompt}
     */
    PromptEncoder promptEncoder(boolean begins) {
        Encoder encoder = requireTokenizer().encoder(true);
        if (!begins) {
            return new PromptEncoder(encoder, new int[0]);
        }
        return new PromptEncoder(
                encoder, special.prependBos() ? new int[] {special.bos().getAsInt()} : tokenizer.templatePrefix());
    }

    /**
     * Makes a grammar ready for this model's tokens.
     *
     * @param stopIds ids that end the text, besides the model's own: never part of a text
     * @throws GrammarException if the grammar cannot be used with them
     * @throws BadRequestException if the model has no tokenizer
     */
    public CompiledGrammar compile(Grammar grammar, Set<Integer> stopIds) {
        requireTokenizer();
        byte[][] tokens = new byte[loaded.config().vocabSize()][];
        for (int id = 0; id < Math.min(tokens.length, tokenizer.vocabSize()); id++) {
            boolean isText = !tokenizer.isSpecial(id) && !special.stopIds().contains(id) && !stopIds.contains(id);
            tokens[id] = isText ? tokenizer.bytes(id) : null;
        }
        return grammar.compile(new TokenTrie(tokens));
    }

    Tokenizer requireTokenizer() {
        if (tokenizer != null) {
            return tokenizer;
        }
        if (owner != null) {
            return owner.requireTokenizer();
        }
        if (directory == null) {
            throw new BadRequestException("the model has no tokenizer.json, so it reads and writes ids only");
        }
        try {
            return directory.tokenizer().orElseThrow(() -> new BadRequestException(directory.noTokenizer()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An empty session. */
    public TextSession newSession() {
        return new TextSession(this);
    }

    /**
     * A text read from a state file: it goes on where {@link TextSession#save} left it, bit for bit if the file is
     * float32.
     *
     * @throws IOException with the reason, if the file is damaged or the state of another model
     */
    public TextSession resume(Path stateFile) throws IOException {
        StateFile file = StateFile.read(stateFile, loaded, fingerprint());
        try {
            return new TextSession(
                    this,
                    file.session(),
                    SavedText.of(file.extra(), loaded.config().vocabSize()));
        } catch (IllegalArgumentException e) {
            file.session().close();
            throw new DamagedFileException(stateFile + ": " + e.getMessage() + "; make it anew", e);
        }
    }

    /**
     * What tells this model from others.
     *
     * @throws IllegalStateException if the model came from no directory
     */
    public synchronized Fingerprint fingerprint() throws IOException {
        if (owner != null) {
            return owner.fingerprint();
        }
        if (fingerprint == null) {
            if (directory == null) {
                throw new IllegalStateException("a model without a directory has no fingerprint");
            }
            fingerprint = Fingerprint.of(directory.weights());
        }
        return fingerprint;
    }

    /**
     * To be asked before each pass over the weights, which are mapped files.
     *
     * @throws UncheckedIOException if one of them has been cut short
     */
    void checkFiles() {
        if (owner != null) {
            owner.checkFiles();
        } else if (directory != null) {
            try {
                directory.checkpoint().checkWhole();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** This model as a member of a batch uses it. */
    TextModel member(LoadedModel view) {
        return new TextModel(null, view, tokenizer, special, this);
    }

    /** Sessions must be closed before. */
    @Override
    public void close() {
        loaded.close();
        if (directory != null) {
            directory.close();
        }
    }
}
