package dev.xlstm.tornado;

import dev.xlstm.backend.State;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The state of a sequence: in a slot of the device, or waiting in main memory. {@link StateSlots} moves it.
 *
 * <p>Main memory holds the canonical layout, as a slot does.
 */
final class GpuState implements State {

    final StateSlots slots;
    int slot = -1; // -1: not on the device
    private Arena arena;
    private MemorySegment waiting; // null: all zero, if it has no slot

    GpuState(StateSlots slots) {
        this.slots = slots;
    }

    /** The content, valid while the state has no slot; null if it is all zero. */
    MemorySegment waiting() {
        return waiting;
    }

    /** Room for the content in main memory. */
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
