package dev.xlstm.safetensors;

/** Limits on the contents of a file, so that no header can fill the heap. */
final class SafetensorsLimits {

    /** Bytes of a header or of a shard index; the reference implementation's limit for headers. */
    static final long JSON_BYTES = 100_000_000;

    /** Tensors in one file. */
    static final int TENSORS = 100_000;

    /** Dimensions of a tensor. */
    static final int DIMENSIONS = 16;

    /** Characters of a tensor's name, a metadata key or a shard's file name. */
    static final int NAME_LENGTH = 1024;

    /** Characters of all metadata values of a file. */
    static final int METADATA_LENGTH = 16 << 20;

    /** Depth of nested objects and arrays; a header needs three. */
    static final int NESTING = 16;

    /** Characters of a number. */
    static final int NUMBER_LENGTH = 64;

    /** Shards of a checkpoint. */
    static final int SHARDS = 10_000;

    private SafetensorsLimits() {}
}
