package dev.xlstm.backend;

import java.lang.foreign.MemorySegment;

/**
 * The memory of one sequence, of constant size. It lives where its backend computes; {@link #write} and {@link #read} use
 * the canonical {@link StateLayout}, so a state saved by one backend resumes on another.
 */
public interface State extends AutoCloseable {

    /** Bytes of the canonical layout. */
    long byteSize();

    /** Sets everything to zero, the state of a sequence that has read nothing. */
    void reset();

    /** Copies another state of the same model. */
    void copyFrom(State other);

    /** Writes the canonical layout to {@code target} ({@link #byteSize()} bytes). */
    void write(MemorySegment target);

    /** Replaces the content with the canonical layout in {@code source} ({@link #byteSize()} bytes). */
    void read(MemorySegment source);

    @Override
    void close();
}
