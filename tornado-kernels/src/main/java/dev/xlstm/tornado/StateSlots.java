package dev.xlstm.tornado;

import dev.xlstm.backend.State;
import java.lang.foreign.MemorySegment;

/** A fixed number of device slots for states. When all are taken, the least recently used state moves to main memory. */
final class StateSlots {

    /** Copies one state between main memory and the device. */
    interface Transfer {

        /** @param source canonical layout, or null for all zero */
        void toDevice(int slot, MemorySegment source);

        void fromDevice(int slot, MemorySegment target);
    }

    private final GpuState[] owners;
    private final long[] lastUse;
    private final long stateBytes;
    private final Transfer transfer;
    private long clock;

    StateSlots(int count, long stateBytes, Transfer transfer) {
        owners = new GpuState[count];
        lastUse = new long[count];
        this.stateBytes = stateBytes;
        this.transfer = transfer;
    }

    int count() {
        return owners.length;
    }

    long stateBytes() {
        return stateBytes;
    }

    /**
     * Ensures that a state has a slot. The states of the last {@link #count()} calls keep theirs.
     *
     * @return its slot
     * @throws IllegalArgumentException if the state belongs to another model
     */
    int acquire(State state) {
        if (!(state instanceof GpuState gpuState) || gpuState.slots != this) {
            throw new IllegalArgumentException("the state belongs to another model");
        }
        if (gpuState.slot < 0) {
            int slot = oldest();
            if (owners[slot] != null) {
                evict(owners[slot]);
            }
            transfer.toDevice(slot, gpuState.waiting());
            gpuState.release();
            owners[slot] = gpuState;
            gpuState.slot = slot;
        }
        lastUse[gpuState.slot] = ++clock;
        return gpuState.slot;
    }

    private int oldest() {
        int best = 0;
        for (int s = 0; s < owners.length; s++) {
            if (owners[s] == null) {
                return s;
            }
            if (lastUse[s] < lastUse[best]) {
                best = s;
            }
        }
        return best;
    }

    private void evict(GpuState state) {
        transfer.fromDevice(state.slot, state.allocate());
        drop(state);
    }

    /** Frees the state's slot; the content there is lost. */
    void drop(GpuState state) {
        if (state.slot >= 0) {
            owners[state.slot] = null;
            state.slot = -1;
        }
    }

    /** Copies the content of a state that has a slot. */
    void read(GpuState state, MemorySegment target) {
        transfer.fromDevice(state.slot, target);
    }
}
