package dev.xlstm.tokenizer;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/**
 * A byte-level BPE tokenizer as a tokenizer.json describes it (GPT-2, GPT-NeoX, Llama-3, Qwen2). Immutable and safe for
 * use by many threads; an {@link Encoder} or {@link Decoder} belongs to one.
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
    private final Map<Integer, byte[]> addedBytes = new HashMap<>();
    private final AddedTokens rawTokens = new AddedTokens(); // looked for before normalising
    private final AddedTokens normalizedTokens = new AddedTokens(); // looked for after
    private final boolean nfc;
    private final List<UnaryOperator<Stage>> preTokenizers;
    private final Bpe bpe;
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
        nfc = file.nfc;
        preTokenizers = file.preTokenizers;
        templatePrefix = file.templatePrefix;
        templateSuffix = file.templateSuffix;
        size = file.size();
        addTokens(true); // of two with the same text the special one wins
        addTokens(false);
        bpe = bpe(file);
    }

    private void addTokens(boolean special) {
        for (AddedToken token : added.values()) {
            if (token.special() == special) {
                addedById.put(token.id(), token);
                this.special.set(token.id(), special);
                addedBytes.put(token.id(), token.content().getBytes(StandardCharsets.UTF_8));
                if (!token.normalized()) {
                    rawTokens.add(token.content(), token);
                } else {
                    String content = token.content();
                    normalizedTokens.add(nfc ? Normalizer.normalize(content, Normalizer.Form.NFC) : content, token);
                }
            }
        }
    }

    private Bpe bpe(TokenizerFile file) {
        int[] byteIds = new int[256];
        for (int b = 0; b < 256; b++) {
            byteIds[b] = vocabulary.id(new byte[] {(byte) b}, 0, 1);
        }
        BitSet mergeable = new BitSet();
        for (AddedToken token : added.values()) {
            boolean canArise = file.merged.get(token.id()) || file.ignoreMerges && vocabulary.has(token.id());
            if (canArise && vocabulary.bytes(token.id()).length > 1) {
                mergeable.set(token.id());
            }
        }
        return new Bpe(vocabulary, file.merges, byteIds, file.ignoreMerges, mergeable, new Bpe.Cache());
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
        Stage stage = new BpeStage(bpe, asText, out);
        for (UnaryOperator<Stage> preTokenizer : preTokenizers.reversed()) {
            stage = preTokenizer.apply(stage);
        }
        stage = addedTokenStage(normalizedTokens, asText, stage);
        if (nfc) {
            stage = new NfcStage(stage);
        }
        return new Encoder(addedTokenStage(rawTokens, asText, stage), out);
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
     * The text of ids. Ids without a token are nothing; bytes that are not UTF-8 become U+FFFD, one for each maximal
     * beginning of a character.
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

    /** The bytes of a token: the UTF-8 of an added one; empty for an id without a token, as in padded rows of a model. */
    public byte[] bytes(int id) {
        return sharedBytes(id).clone();
    }

    byte[] sharedBytes(int id) {
        byte[] bytes = addedBytes.get(id);
        return bytes != null ? bytes : vocabulary.bytes(id);
    }

    /** The token as the file spells it (a leading space is Ġ), null for an id without one. */
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
