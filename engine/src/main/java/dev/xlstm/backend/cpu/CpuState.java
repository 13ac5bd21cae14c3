package dev.xlstm.backend.cpu;

import dev.xlstm.backend.State;
import dev.xlstm.model.XlstmConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The state in main memory: the canonical layout itself. */
final class CpuState implements State {

    private final Arena arena = Arena.ofShared();

    /** Block after block. */
    final MemorySegment memory;

    CpuState(XlstmConfig config) {
        memory = arena.allocate(config.stateBytes(), 64);
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
