package dev.xlstm.backend.cpu;

import dev.xlstm.backend.State;
import dev.xlstm.backend.StateLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A state in main memory, in the canonical layout. */
final class CpuState implements State {

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final MemorySegment[] parts;

    CpuState(StateLayout layout) {
        memory = arena.allocate(layout.byteSize(), 64);
        parts = layout.parts().stream()
                .map(part -> memory.asSlice(part.offset(), part.byteSize()))
                .toArray(MemorySegment[]::new);
    }

    /** A part by its {@link StateLayout#index}; null for the index -1. */
    MemorySegment part(int index) {
        return index < 0 ? null : parts[index];
    }

    @Override
    public long byteSize() {
        return memory.byteSize();
    }

    @Override
    public void reset() {
        memory.fill((byte) 0);
    }

    @Override
    public void copyFrom(State other) {
        memory.copyFrom(((CpuState) other).memory);
    }

    @Override
    public void write(MemorySegment target) {
        target.copyFrom(memory);
    }

    @Override
    public void read(MemorySegment source) {
        memory.copyFrom(source);
    }

    @Override
    public void close() {
        arena.close();
    }
}
