package dev.xlstm.tornado;

import dev.xlstm.backend.State;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The state of a sequence, in the canonical layout: in a slot of the device, or in main memory. {@link StateSlots} moves it.
 */
final class GpuState implements State {

    final StateSlots slots;
    int slot = -1; // -1: not on the device
    private Arena arena;
    private MemorySegment waiting; // in main memory; null if the state has a slot or is all zero

    GpuState(StateSlots slots) {
        this.slots = slots;
    }

    /** The content of a state without a slot; null if it is all zero. */
    MemorySegment waiting() {
        return waiting;
    }

    /** Allocates main memory for the content. */
    MemorySegment allocate() {
        if (waiting == null) {
            arena = Arena.ofShared();
            waiting = arena.allocate(slots.stateBytes(), 64);
        }
        return waiting;
    }

    void release() {
        if (arena != null) {
            arena.close();
        }
        arena = null;
        waiting = null;
    }

    @Override
    public long byteSize() {
        return slots.stateBytes();
    }

    @Override
    public void reset() {
        slots.drop(this);
        release();
    }

    @Override
    public void copyFrom(State other) {
        reset();
        other.write(allocate());
    }

    @Override
    public void write(MemorySegment target) {
        if (slot >= 0) {
            slots.read(this, target);
        } else if (waiting == null) {
            target.fill((byte) 0);
        } else {
            target.copyFrom(waiting);
        }
    }

    @Override
    public void read(MemorySegment source) {
        slots.drop(this);
        allocate().copyFrom(source);
    }

    @Override
    public void close() {
        reset();
    }
}
