package dev.xlstm.backend;

import dev.xlstm.model.BlockConfig;
import dev.xlstm.model.XlstmConfig;
import dev.xlstm.safetensors.TensorInfo;
import java.util.ArrayList;
import java.util.List;

/**
 * The canonical layout of a model's state: float32, little-endian, contiguous; for each block the parts that {@link
 * BlockConfig#state()} lists, in that order. Backends, state files and reports all take names and offsets from here.
 */
public final class StateLayout {

    /**
     * One tensor of a state.
     *
     * @param block index of its block
     * @param info its name within the block (c, n, m, y or conv), type and shape
     * @param offset of its first byte
     */
    public record Part(int block, TensorInfo info, long offset) {

        /** The name within the block. */
        public String name() {
            return info.name();
        }

        /** The name within a model: {@code layers.I.NAME}. */
        public String fullName() {
            return "layers." + block + "." + info.name();
        }

        public long byteSize() {
            return info.byteSize();
        }

        /** Whether this is the matrix memory C of an mLSTM, nearly all of a state. */
        public boolean isMatrixMemory() {
            return info.shape().length == 3;
        }
    }

    private final List<Part> parts;
    private final long byteSize;

    private StateLayout(List<Part> parts, long byteSize) {
        this.parts = List.copyOf(parts);
        this.byteSize = byteSize;
    }

    public static StateLayout of(XlstmConfig config) {
        List<Part> parts = new ArrayList<>();
        long offset = 0;
        for (int block = 0; block < config.numLayers(); block++) {
            for (TensorInfo info : config.blocks().get(block).state()) {
                parts.add(new Part(block, info, offset));
                offset += info.byteSize();
            }
        }
        return new StateLayout(parts, offset);
    }

    /** All parts in order of their offsets. */
    public List<Part> parts() {
        return parts;
    }

    /** The index in {@link #parts()} of a block's part; -1 if the block has none of this name. */
    public int index(int block, String name) {
        for (int p = 0; p < parts.size(); p++) {
            if (parts.get(p).block() == block && parts.get(p).name().equals(name)) {
                return p;
            }
        }
        return -1;
    }

    /** Bytes of a whole state. */
    public long byteSize() {
        return byteSize;
    }
}
