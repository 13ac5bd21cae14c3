package dev.xlstm.backend;

import java.lang.foreign.MemorySegment;

/**
 * What a sequence has read so far, in constant size. Lives where its backend computes; {@link #write} and {@link #read}
 * use one canonical layout, so a state saved from one backend resumes on another.
 *
 * <p>Canonical layout, float32, little-endian, contiguous: for each block the parts that {@link
 * dev.xlstm.model.BlockConfig#state()} lists, in that order.
 */
public interface State extends AutoCloseable {

    /** Bytes of the canonical layout. */
    long byteSize();

    /** Back to all zero. */
    void reset();

    /** Takes over the content of another state of the same model. */
    void copyFrom(State other);

    /** Writes the canonical layout to {@code target} ({@link #byteSize()} bytes). */
    void write(MemorySegment target);

    /** Replaces the content by the canonical layout in {@code source} ({@link #byteSize()} bytes). */
    void read(MemorySegment source);

    @Override
    void close();
}
