package dev.xlstm.backend.cpu;

import dev.xlstm.backend.StateLayout;
import java.lang.foreign.MemorySegment;

/** Finds the parts of one block in the state of a sequence; a part that the block does not have is null. */
final class BlockState {

    private final int y;
    private final int c;
    private final int n;
    private final int m;
    private final int window;

    BlockState(StateLayout layout, int block) {
        y = layout.index(block, "y");
        c = layout.index(block, "c");
        n = layout.index(block, "n");
        m = layout.index(block, "m");
        window = layout.index(block, "conv");
    }

    /** Last output of an sLSTM [E]. */
    MemorySegment y(CpuState state) {
        return state.part(y);
    }

    /** Matrix memory of an mLSTM [NH, dqk, dv], or the cells of an sLSTM [E]. */
    MemorySegment c(CpuState state) {
        return state.part(c);
    }

    /** Normaliser of an mLSTM [NH, dqk] or of an sLSTM [E]. */
    MemorySegment n(CpuState state) {
        return state.part(n);
    }

    /** Stabiliser of an mLSTM [NH] or of an sLSTM [E]. */
    MemorySegment m(CpuState state) {
        return state.part(m);
    }

    /** The last inputs of the convolution [K - 1, features]. */
    MemorySegment window(CpuState state) {
        return state.part(window);
    }
}
