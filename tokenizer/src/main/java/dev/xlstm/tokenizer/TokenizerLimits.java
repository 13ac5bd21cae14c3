package dev.xlstm.tokenizer;

/** The limits on a tokenizer.json and on texts. Real files stay far below them. */
final class TokenizerLimits {
    /** Size of a tokenizer.json. */
    static final int FILE_BYTES = 32 << 20;

    /** Ids are 0 to this, exclusive. */
    static final int IDS = 1 << 20;

    static final int MERGES = 1 << 20;

    static final int ADDED_TOKENS = 1 << 16;

    /** Length of all added tokens together. */
    static final int ADDED_TOKENS_CHARS = 1 << 19;

    /** Length of one token of the vocabulary. */
    static final int TOKEN_CHARS = 4096;

    /** Length of one added token: the number of comparisons per character of a text. */
    static final int ADDED_TOKEN_CHARS = 512;

    static final int PATTERN_CHARS = 4096;

    static final int JSON_DEPTH = 32;

    /** Values in one of the small parts of the file (normalizer, pre_tokenizer, one added token, ...). */
    static final int JSON_VALUES = 10_000;

    /** A longer pretoken is cut here, as is white space that an added token could strip from its left. */
    static final int PIECE_CHARS = 1 << 20;

    /** A longer run of combining characters is normalised in parts of this length. */
    static final int COMBINING_CHARS = 512;

    /** Character accesses of java.util.regex before a pattern fails as runaway: at once, and per character. */
    static final long PATTERN_STEPS = 1L << 26;

    static final int PATTERN_STEPS_PER_CHAR = 1000;

    private TokenizerLimits() {}
}
