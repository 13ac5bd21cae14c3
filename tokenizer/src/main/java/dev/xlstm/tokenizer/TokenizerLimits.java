package dev.xlstm.tokenizer;

/** Every bound on what a tokenizer.json or a text may ask for. Real files stay far below them. */
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

    /** Length of one added token: each character of a text may be compared with as many. */
    static final int ADDED_TOKEN_CHARS = 512;

    static final int PATTERN_CHARS = 4096;

    static final int JSON_DEPTH = 32;

    /** Values in one of the small parts of the file (normalizer, pre_tokenizer, one added token, ...). */
    static final int JSON_VALUES = 10_000;

    /** A pretoken longer than this is cut here, as is white space that an added token could strip from its left. */
    static final int PIECE_CHARS = 1 << 20;

    /** A run of combining characters longer than this is normalised in parts of this length. */
    static final int COMBINING_CHARS = 512;

    /** Characters that java.util.regex may look at before a pattern is given up as runaway: at once, and per character. */
    static final long PATTERN_STEPS = 1L << 26;

    static final int PATTERN_STEPS_PER_CHAR = 1000;

    private TokenizerLimits() {}
}
