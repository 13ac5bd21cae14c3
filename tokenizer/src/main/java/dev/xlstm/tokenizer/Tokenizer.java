package dev.xlstm.tokenizer;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.UnaryOperator;

/**
 * A tokenizer as a tokenizer.json describes it: byte-level BPE (GPT-2, GPT-NeoX, Llama-3, Qwen2), BPE of characters with or
 * without bytes as fallback (Llama-2, Mistral, Gemma), WordLevel. Immutable and thread-safe; an {@link Encoder} or
 * {@link Decoder} belongs to one thread.
 *
 * <p>Ids equal those of Hugging Face tokenizers without special tokens added, with two documented bounds for runaway
 * input: a pretoken of more than 1,048,576 chars is cut there, and a run of more than 512 combining chars is normalised in
 * parts. Half a surrogate pair in a text counts as U+FFFD.
 */
public final class Tokenizer {
    private static final BitSet NONE = new BitSet();

    private final Vocabulary vocabulary;
    private final Map<String, AddedToken> added; // by content
    private final Map<Integer, AddedToken> addedById = new HashMap<>();
    private final AddedTokens rawTokens = new AddedTokens(); // looked for before normalising
    private final AddedTokens normalizedTokens = new AddedTokens(); // looked for after
    private final List<UnaryOperator<Stage>> normalizers;
    private final List<UnaryOperator<Stage>> preTokenizers;
    private final boolean reusableStages;
    private final TokenText tokenText;
    private final AtomicReferenceArray<byte[]> tokenBytes; // by id, made when first asked for
    private final Bpe bpe; // null for WordLevel
    private final int unknown;
    private final BitSet special = new BitSet();
    private final int[] templatePrefix;
    private final int[] templateSuffix;
    private final int size;

    /**
     * Reads a tokenizer.json.
     *
     * @throws TokenizerException in one line naming file, field and remedy, if the file cannot be read, is damaged, asks
     *     for more than any real one, or has a part that is not supported
     */
    public static Tokenizer load(Path tokenizerJson) throws TokenizerException {
        return new Tokenizer(TokenizerFile.read(tokenizerJson));
    }

    private Tokenizer(TokenizerFile file) {
        vocabulary = file.vocabulary;
        added = file.added;
        normalizers = file.normalizers;
        preTokenizers = file.preTokenizers;
        reusableStages = !file.looksAtFirstStretch;
        tokenText = file.tokenText;
        unknown = file.unknown;
        tokenBytes = new AtomicReferenceArray<>(file.size());
        templatePrefix = file.templatePrefix;
        templateSuffix = file.templateSuffix;
        size = file.size();
        addTokens(true); // of two with the same text the special one wins
        addTokens(false);
        bpe = file.merges == null ? null : bpe(file);
    }

    private void addTokens(boolean special) {
        for (AddedToken token : added.values()) {
            if (token.special() == special) {
                addedById.put(token.id(), token);
                this.special.set(token.id(), special);
                if (!token.normalized()) {
                    rawTokens.add(token.content(), token);
                } else {
                    normalizedTokens.add(normalized(token.content()), token);
                }
            }
        }
    }

    private String normalized(String text) {
        StringBuilder normal = new StringBuilder();
        Stage stage = new Stage() {
            @Override
            public void text(char[] chars, int from, int to) {
                normal.append(chars, from, to - from);
            }

            @Override
            public void end() {}

            @Override
            public void token(int id) {}
        };
        for (UnaryOperator<Stage> normalizer : normalizers.reversed()) {
            stage = normalizer.apply(stage);
        }
        stage.text(text.toCharArray(), 0, text.length());
        stage.end();
        return normal.toString();
    }

    private Bpe bpe(TokenizerFile file) {
        boolean byteLevel = file.byteLevel;
        int[] byteIds = byteLevel || file.byteFallback ? new int[256] : null;
        for (int b = 0; byteIds != null && b < 256; b++) {
            byteIds[b] =
                    byteLevel ? vocabulary.id(new byte[] {(byte) b}, 0, 1) : vocabulary.id(TokenText.fallbackToken(b));
        }
        BitSet mergeable = new BitSet();
        for (AddedToken token : added.values()) {
            int id = token.id();
            boolean canArise = byteLevel
                    ? (file.merged.get(id) || file.ignoreMerges) && vocabulary.bytes(id).length > 1
                    : vocabulary.has(id) && id != file.unknown;
            if (canArise) {
                mergeable.set(id);
            }
        }
        return new Bpe(
                vocabulary,
                byteLevel,
                file.merges,
                byteIds,
                file.unknown,
                file.fuseUnknown,
                file.ignoreMerges,
                mergeable,
                byteLevel ? 0 : file.wordStart(),
                new Bpe.Cache());
    }

    /** Highest id + 1. Ids in between may be without a token. */
    public int vocabSize() {
        return size;
    }

    /** {@link #encode(String, boolean)} with {@code parseSpecial}. */
    public int[] encode(String text) {
        return encode(text, true);
    }

    /**
     * The ids of a text. Adds nothing before or after it: see {@link #templatePrefix()}.
     *
     * @param parseSpecial whether special tokens written in the text become their ids; if not they are ordinary text, as
     *     untrusted text should be read. Added tokens that are not special are found in either case.
     * @throws java.io.UncheckedIOException if an unusual pre-tokeniser pattern of the file backtracks without end on this
     *     text; never with the patterns of GPT-2, GPT-NeoX, Llama-3 and Qwen2
     */
    public int[] encode(String text, boolean parseSpecial) {
        return encoder(parseSpecial).encode(text);
    }

    /** An encoder for text that arrives in parts. */
    public Encoder encoder(boolean parseSpecial) {
        return encoder(parseSpecial ? NONE : special);
    }

    /**
     * An encoder that leaves some added tokens ordinary text, whether special or not.
     *
     * @param asText ids of added tokens
     */
    public Encoder encoder(BitSet asText) {
        IntList out = new IntList();
        return new Encoder(() -> stages(asText, out), reusableStages, out);
    }

    private Stage stages(BitSet asText, IntList out) {
        Stage stage =
                bpe == null ? new WordLevelStage(vocabulary, unknown, asText, out) : new BpeStage(bpe, asText, out);
        if (bpe != null && bpe.wordStart() != 0) {
            stage = new WordStartStage(bpe.wordStart(), stage);
        }
        for (UnaryOperator<Stage> preTokenizer : preTokenizers.reversed()) {
            stage = preTokenizer.apply(stage);
        }
        stage = addedTokenStage(normalizedTokens, asText, stage);
        for (UnaryOperator<Stage> normalizer : normalizers.reversed()) {
            stage = normalizer.apply(stage);
        }
        return addedTokenStage(rawTokens, asText, stage);
    }

    private static Stage addedTokenStage(AddedTokens tokens, BitSet asText, Stage next) {
        return tokens.areAllIn(asText) ? next : new AddedTokenStage(tokens, asText, next);
    }

    /** The ids that the file's template puts before a text (Llama-3: the beginning of text). Empty without a template. */
    public int[] templatePrefix() {
        return templatePrefix.clone();
    }

    /** The ids that the file's template puts after a text. Empty without a template. */
    public int[] templateSuffix() {
        return templateSuffix.clone();
    }

    /** {@link #decode(int[], boolean)} with special tokens shown. */
    public String decode(int... ids) {
        return decode(ids, false);
    }

    /**
     * The text of ids. Ids without a token are left out; see {@link Decoder} for bytes that are not UTF-8.
     */
    public String decode(int[] ids, boolean skipSpecial) {
        Decoder decoder = decoder(skipSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.accept(id));
        }
        return text.append(decoder.finish()).toString();
    }

    /** A decoder for ids that arrive one by one. */
    public Decoder decoder(boolean skipSpecial) {
        return new Decoder(this, skipSpecial);
    }

    /**
     * The bytes that a token adds in the middle of a text; empty for an id without a token, as in padded rows of a model.
     * Does not include the space between two tokens of a WordLevel tokenizer.
     */
    public byte[] bytes(int id) {
        return sharedBytes(id).clone();
    }

    byte[] sharedBytes(int id) {
        if (tokenText.byteLevel() && !addedById.containsKey(id)) {
            return vocabulary.bytes(id);
        }
        if (!has(id)) {
            return new byte[0];
        }
        byte[] bytes = tokenBytes.get(id);
        if (bytes == null) {
            bytes = textBytes(id, false);
            tokenBytes.set(id, bytes);
        }
        return bytes;
    }

    /** The bytes of a token at the beginning of a text. */
    byte[] firstBytes(int id) {
        return tokenText.dropsFirst() ? textBytes(id, true) : sharedBytes(id);
    }

    private byte[] textBytes(int id, boolean first) {
        String token = token(id);
        return tokenText.byteLevel() ? token.getBytes(StandardCharsets.UTF_8) : tokenText.bytes(token, first);
    }

    /** Whether there is a token of this id. */
    boolean has(int id) {
        return addedById.containsKey(id) || vocabulary.has(id);
    }

    TokenText tokenText() {
        return tokenText;
    }

    /** The token as the file spells it (a leading space is Ġ or ▁), null for an id without one. */
    public String token(int id) {
        AddedToken token = addedById.get(id);
        return token != null ? token.content() : vocabulary.name(id);
    }

    /** The id of a token as the file spells it, added or of the vocabulary. */
    public OptionalInt id(String token) {
        AddedToken addedToken = added.get(token);
        int id = addedToken != null ? addedToken.id() : vocabulary.id(token);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** Whether the id is that of a special token. */
    public boolean isSpecial(int id) {
        return id >= 0 && special.get(id);
    }

    /** Whether the id is that of an added token, special or not: its text becomes the id before anything else sees it. */
    public boolean isAdded(int id) {
        return addedById.containsKey(id);
    }
}
