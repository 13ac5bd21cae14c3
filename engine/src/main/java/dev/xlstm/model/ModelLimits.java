package dev.xlstm.model;

/** Limits on the files of a model, other than its tensors and its tokenizer. Real files stay far below. */
final class ModelLimits {

    /** Size of a JSON or YAML file. */
    static final int FILE_BYTES = 16 << 20;

    /** Values in such a file: far more than any vocabulary's added tokens, and few enough for the heap. */
    static final int VALUES = 1 << 20;

    /** Depth of nested objects and arrays. */
    static final int NESTING = 500;

    /** Size of a chat_template.jinja. */
    static final int TEMPLATE_BYTES = 1 << 20;

    // Dimensions: small enough that no product of them overflows a long.

    static final int WIDTH = 1 << 20;

    static final int LAYERS = 1 << 12;

    static final int VOCAB = 1 << 24;

    /** By how much a layer may widen its input. */
    static final int FACTOR = 1 << 10;

    /** Of a session's state. */
    static final long STATE_BYTES = 1L << 36;

    /** Tokens in the window of a convolution. */
    static final int KERNEL = 64;

    /** Width of the blocks of a q, k or v matrix. */
    static final int BLOCK = 512;

    private ModelLimits() {}
}
